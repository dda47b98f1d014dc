import { bucketOf, padRows } from "./batch-buckets.js";
import { lookUpPixels } from "./preprocess/normalize-pixels.js";
import type { Feed, Pictures, Rows, SessionInfo, SessionOptions, Tensor } from "./session.js";

// What the session's thread makes of the inputs and outputs of a run, so that the event loop of
// the server need not.

/** Makes the inputs of one graph, in the types that it asks for. */
export class GraphInputs {
  readonly #inputs: SessionInfo["inputs"];
  /** Whether batches are padded. */
  readonly pads: boolean;
  /**
   * Memory of batches, by input: a batch of 64 pictures takes 38 MB, and fresh memory costs more
   * than what is written there.
   */
  readonly #kept = new Map<string, ArrayBuffer>();

  constructor(
    { inputs, provider }: Pick<SessionInfo, "inputs" | "provider">,
    { isBatched = false }: Pick<SessionOptions, "isBatched"> = {},
  ) {
    this.#inputs = inputs;
    this.pads = isBatched && provider === "cuda";
  }

  /**
   * float32 is narrowed to float16 and int64 to int32 where the graph asks for it.
   *
   * @param feeds  by input name, [n, ...]
   * @returns tensors that hold until the next call.
   */
  tensorsOf(feeds: Readonly<Record<string, Feed>>): Record<string, Tensor> {
    const tensors: Record<string, Tensor> = {};
    for (const [name, feed] of Object.entries(feeds)) {
      const type = this.#inputs.find((input) => input.name === name)?.type ?? "float32";
      const [n] = feed.dims;
      const size = this.pads ? bucketOf(n) : n;
      tensors[name] =
        "rows" in feed ? this.#joined(name, feed, type, size) : padRows(asType(feed, type), size);
    }
    return tensors;
  }

  #joined(name: string, feed: Rows | Pictures, type: string, size: number): Tensor {
    const dims = [size, ...feed.dims.slice(1)];
    const length = dims.slice(1).reduce((product, dim) => product * dim, 1);
    const isHalf = type === "float16";
    const memory = this.#memory(name, size * length * (isHalf ? 2 : 4));
    const data = new (isHalf ? Uint16Array : Float32Array)(memory, 0, size * length);
    const write = isHalf ? writeHalves : writeFloats;
    const row = (i: number) => data.subarray(i * length, (i + 1) * length);
    if (feed.type === "pictures") {
      const tables = isHalf ? feed.tables.map(toFloat16) : feed.tables;
      for (const [i, pixels] of feed.rows.entries()) lookUpPixels(pixels, tables, row(i));
    } else for (const [i, values] of feed.rows.entries()) write(values, row(i));
    for (let i = feed.rows.length; i < size; i++) row(i).set(row(0));
    return { type: isHalf ? "float16" : "float32", dims, data };
  }

  #memory(name: string, bytes: number): ArrayBuffer {
    const kept = this.#kept.get(name);
    if (kept !== undefined && kept.byteLength >= bytes) return kept;
    const buffer = new ArrayBuffer(bytes);
    this.#kept.set(name, buffer);
    return buffer;
  }
}

/** The first `n` rows of an output, or all, copied; float16 is widened to float32. */
export function outputRows({ type, dims, data }: Tensor, n = dims[0]): Tensor {
  const isCut = dims[0] > n;
  const shape = isCut ? [n, ...dims.slice(1)] : dims;
  const length = isCut ? (data.length / dims[0]) * n : data.length;
  if (type === "float16") {
    // From Node.js 24 on the data is a Float16Array: its numbers, not their bits.
    const halves = new Uint16Array(data.buffer, data.byteOffset, length);
    return { type: "float32", dims: shape, data: fromFloat16(halves) };
  }
  return { type, dims: shape, data: data.slice(0, length) };
}

function asType(tensor: Tensor, type: string): Tensor {
  const { dims, data } = tensor;
  if (type === "float16" && tensor.type === "float32")
    return { type, dims, data: toFloat16(data as Float32Array) };
  if (type === "int32" && tensor.type === "int64")
    return { type, dims, data: Int32Array.from(data as BigInt64Array, Number) };
  return tensor;
}

const writeFloats = (values: Float32Array, into: Float32Array | Uint16Array) => into.set(values);

function toFloat16(source: Float32Array): Uint16Array {
  const halves = new Uint16Array(source.length);
  writeHalves(source, halves);
  return halves;
}

/** Float32 -> the 16 bits of IEEE 754 half precision, rounded to nearest even. */
function writeHalves(source: Float32Array, into: Float32Array | Uint16Array): void {
  const bits = new Uint32Array(source.buffer, source.byteOffset, source.length);
  for (let i = 0; i < bits.length; i++) {
    const sign = (bits[i] >>> 16) & 0x8000;
    const magnitude = bits[i] & 0x7fffffff;
    if (magnitude >= 0x47800000) into[i] = sign | (magnitude > 0x7f800000 ? 0x7e00 : 0x7c00);
    else if (magnitude < 0x38800000)
      // Subnormal halves are multiples of 2^-24
      into[i] = sign | Math.round(Math.abs(source[i]) * 2 ** 24);
    else into[i] = sign | ((magnitude - 0x38000000 + 0xfff + ((magnitude >>> 13) & 1)) >>> 13);
  }
}

/** The number of each of the 65,536 halves, once it was needed. */
let numbers: Float32Array | undefined;

function fromFloat16(halves: Uint16Array): Float32Array {
  numbers ??= Float32Array.from({ length: 2 ** 16 }, (_, half) => numberOf(half));
  const floats = new Float32Array(halves.length);
  for (let i = 0; i < halves.length; i++) floats[i] = numbers[halves[i]];
  return floats;
}

function numberOf(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >>> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
