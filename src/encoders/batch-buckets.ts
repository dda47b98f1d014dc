import type { Modality } from "./encoder.js";
import type { Session, Tensor } from "./session.js";
import type { BatchingOptions } from "./with-batching.js";

/**
 * Sizes of batches that run on CUDA: 1, 2, 4, 8, … cuDNN looks for its fastest convolution once for
 * each new shape, which takes seconds, so a batch is padded up to the next of a few sizes and each
 * of them is run once at the start.
 */
export const bucketOf = (n: number): number => 2 ** Math.ceil(Math.log2(n));

/**
 * Every size that batches of at most `maxBatch` inputs take. `bucketsUpTo(20)` is [1, 2, 4, 8, 16,
 * 32].
 */
export function bucketsUpTo(maxBatch: number): number[] {
  return Array.from({ length: Math.log2(bucketOf(maxBatch)) + 1 }, (_, i) => 2 ** i);
}

/** A batch of `size` rows: those of the tensor and, behind them, its first row again. */
export function padRows(tensor: Tensor, size: number): Tensor {
  const { type, dims, data } = tensor;
  if (dims[0] === size) return tensor;
  const row = data.length / dims[0];
  const padded = new (data.constructor as new (length: number) => typeof data)(size * row);
  padded.set(data as never);
  for (let at = data.length; at < padded.length; at += row) padded.copyWithin(at, 0, row);
  return { type, dims: [size, ...dims.slice(1)], data: padded };
}

/** Larger batches of pictures and sounds are no faster on a processor, and take more memory. */
const maxMediaOnCpu = 8;

/**
 * Batches under way on a card, which is done with one in a few milliseconds: it waits for what is
 * made on the processor, and a batch of files for the slowest of them, while other decoding
 * processes would be idle.
 */
const inFlightOnCard = 4;

/** How the inputs of a graph are batched. */
export function batchingOf(
  modality: Modality,
  maxBatch: number,
  { info }: Pick<Session, "info">,
): BatchingOptions {
  if (info.provider !== "cpu") return { maxBatch, maxInFlight: inFlightOnCard };
  return { maxBatch: modality === "text" ? maxBatch : Math.min(maxBatch, maxMediaOnCpu) };
}
