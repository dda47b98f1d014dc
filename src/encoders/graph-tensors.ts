import { bucketOf, padRows } from "./batch-buckets.js";
import { lookUpPixels } from "./preprocess/normalize-pixels.js";
import type { Feed, Pictures, SessionInfo, Tensor } from "./session.js";

// What the session's thread makes of the inputs and outputs of a run, so that the event loop of
// the server need not.

/**
 * The tensors of a run, in the types that the graph asks for: pictures are looked up, float32 is
 * narrowed to float16 and int64 to int32. Batches on CUDA are padded (batch-buckets.ts).
 *
 * @param feeds  by input name, [n, ...]
 */
export function graphInputs(
  feeds: Readonly<Record<string, Feed>>,
  { inputs, provider }: Pick<SessionInfo, "inputs" | "provider">,
): Record<string, Tensor> {
  const tensors: Record<string, Tensor> = {};
  for (const [name, feed] of Object.entries(feeds)) {
    const type = inputs.find((input) => input.name === name)?.type ?? feed.type;
    const tensor = feed.type === "pictures" ? tensorOf(feed, type) : asType(feed, type);
    const [n] = tensor.dims;
    const size = provider === "cuda" ? bucketOf(n) : n;
    tensors[name] = size === n ? tensor : padRows(tensor, size);
  }
  return tensors;
}

/** The first `n` rows of an output, or all, copied; float16 is widened to float32. */
export function outputRows({ type, dims, data }: Tensor, n = dims[0]): Tensor {
  const rows = dims[0] > n ? data.subarray(0, (data.length / dims[0]) * n) : data;
  const shape = dims[0] > n ? [n, ...dims.slice(1)] : dims;
  if (type === "float16")
    return { type: "float32", dims: shape, data: fromFloat16(rows as Uint16Array) };
  return { type, dims: shape, data: rows.slice() };
}

function tensorOf({ pixels, dims, tables }: Pictures, type: string): Tensor {
  const size = dims[1] * dims[2] * dims[3];
  const halves = type === "float16";
  const data = new (halves ? Uint16Array : Float32Array)(pixels.length * size);
  const values = halves ? tables.map(toFloat16) : tables;
  for (const [i, picture] of pixels.entries())
    lookUpPixels(picture, values, data.subarray(i * size, (i + 1) * size));
  return { type: halves ? "float16" : "float32", dims, data };
}

function asType(tensor: Tensor, type: string): Tensor {
  const { dims, data } = tensor;
  if (type === "float16" && tensor.type === "float32")
    return { type, dims, data: toFloat16(data as Float32Array) };
  if (type === "int32" && tensor.type === "int64")
    return { type, dims, data: Int32Array.from(data as BigInt64Array, Number) };
  return tensor;
}

/** Float32 -> the 16 bits of IEEE 754 half precision, rounded to nearest even. */
function toFloat16(source: Float32Array): Uint16Array {
  const bits = new Uint32Array(source.buffer, source.byteOffset, source.length);
  const data = new Uint16Array(source.length);
  for (let i = 0; i < data.length; i++) {
    const sign = (bits[i] >>> 16) & 0x8000;
    const magnitude = bits[i] & 0x7fffffff;
    if (magnitude >= 0x47800000) data[i] = sign | (magnitude > 0x7f800000 ? 0x7e00 : 0x7c00);
    else if (magnitude < 0x38800000)
      // Subnormal halves are multiples of 2^-24
      data[i] = sign | Math.round(Math.abs(source[i]) * 2 ** 24);
    else data[i] = sign | ((magnitude - 0x38000000 + 0xfff + ((magnitude >>> 13) & 1)) >>> 13);
  }
  return data;
}

function fromFloat16(halves: Uint16Array): Float32Array {
  return Float32Array.from(halves, (half) => {
    const sign = half & 0x8000 ? -1 : 1;
    const exponent = (half >>> 10) & 0x1f;
    const fraction = half & 0x3ff;
    if (exponent === 0) return sign * fraction * 2 ** -24;
    if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
    return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
  });
}
