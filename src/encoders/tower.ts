import { AppError } from "../errors.js";
import { normalize } from "../math/vector.js";
import { recordStage } from "../stages.js";
import { bucketOf, padRows } from "./batch-buckets.js";
import type { Embedding } from "./encoder.js";
import type { Session, Tensor } from "./session.js";

/** A loaded graph and the space of its embeddings: shared by the three encoders. */
export interface Tower {
  modelId: string;
  space: string;
  dimensions: number;
  session: Session;
  /** Names of the output that holds the embedding, in order of preference. */
  outputs: readonly string[];
  /**
   * Batches are run one input at a time: the graph takes no others, or would mix them (see
   * dynamic-quantization.ts).
   */
  oneByOne: boolean;
}

/**
 * Runs a batch and returns its rows at unit length.
 *
 * @param offered  inputs by name, [n, ...]; only those the graph lists are fed, and float32 is
 *   narrowed to float16, int64 to int32, where it asks for that.
 * @throws AppError `inference_failed` when the graph fails or its output is not N finite vectors of
 *   the right size.
 */
export async function runTower(
  tower: Tower,
  offered: Record<string, Tensor>,
  n: number,
): Promise<Embedding[]> {
  if (!tower.oneByOne || n === 1) return runRows(tower, offered, n);
  const embeddings: Embedding[] = [];
  for (let i = 0; i < n; i++) {
    const row = Object.entries(offered).map(([name, tensor]) => [name, rowOf(tensor, i)]);
    embeddings.push(...(await runRows(tower, Object.fromEntries(row), 1)));
  }
  return embeddings;
}

/** Row `i` of a tensor, copied into a batch of one. */
function rowOf({ type, dims, data }: Tensor, i: number): Tensor {
  const size = data.length / dims[0];
  return { type, dims: [1, ...dims.slice(1)], data: data.slice(i * size, (i + 1) * size) };
}

async function runRows(
  tower: Tower,
  offered: Record<string, Tensor>,
  n: number,
): Promise<Embedding[]> {
  const size = tower.session.info.provider === "cuda" ? bucketOf(n) : n;
  const { info } = tower.session;
  const feeds: Record<string, Tensor> = {};
  for (const { name, type } of info.inputs) {
    const tensor = offered[name];
    if (tensor === undefined)
      throw new AppError(
        "inference_failed",
        `${tower.modelId} expects an input "${name}" that is not supported`,
      );
    const batch = size === n ? tensor : padRows(tensor, size);
    feeds[name] = asType(batch, type);
  }
  const output = tower.outputs.find((name) =>
    info.outputs.some((candidate) => candidate.name === name),
  );
  if (output === undefined) {
    const found = info.outputs.map(({ name }) => name).join(", ");
    throw new AppError(
      "inference_failed",
      `${tower.modelId} should give ${tower.outputs.join(" or ")} but gives ${found}`,
    );
  }
  const start = performance.now();
  let runMs = 0;
  let result: Tensor;
  try {
    const results = await tower.session.run(feeds, [output], (ms) => {
      runMs = ms;
    });
    result = results[output];
  } catch (error) {
    if (error instanceof AppError && error.code === "unavailable") throw error;
    throw new AppError("inference_failed", `${tower.modelId} failed while running`, {
      cause: error,
    });
  }
  const waitedMs = Math.max(0, performance.now() - start - runMs);
  recordStage({ stage: "queue", startMs: start, ms: waitedMs });
  recordStage({
    stage: "inference",
    startMs: start + waitedMs,
    ms: runMs,
    model: tower.modelId,
    batchSize: n,
  });
  const values =
    result.type === "float16"
      ? fromFloat16(result.data as Uint16Array)
      : (result.data as Float32Array);
  if (values.length !== size * tower.dimensions) {
    throw new AppError(
      "inference_failed",
      `${tower.modelId} should give ${size} x ${tower.dimensions} numbers but gave ` +
        `[${result.dims.join(", ")}]`,
    );
  }
  return Array.from({ length: n }, (_, i) => {
    try {
      return normalize(values.subarray(i * tower.dimensions, (i + 1) * tower.dimensions));
    } catch (error) {
      throw new AppError("inference_failed", `${tower.modelId} gave a vector without direction`, {
        cause: error,
      });
    }
  });
}

function asType(tensor: Tensor, type: string): Tensor {
  if (type === "float16" && tensor.type === "float32") return toFloat16(tensor);
  if (type !== "int32" || tensor.type !== "int64") return tensor;
  const data = Int32Array.from(tensor.data as BigInt64Array, Number);
  return { type, dims: tensor.dims, data };
}

/** Float32 -> the 16 bits of IEEE 754 half precision, rounded to nearest even. */
function toFloat16(tensor: Tensor): Tensor {
  const source = tensor.data as Float32Array;
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
  return { type: "float16", dims: tensor.dims, data };
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
