import type { Encoder, Modality, ModalityInput } from "./encoder.js";

/** Inputs that are looked up: each takes a hash, so a sample has to do. */
const sampleSize = 256;

/**
 * Estimates how many of `count` inputs must be run, since the others are cached, from an even
 * sample.
 */
export function countMissing<M extends Modality>(
  encoder: Encoder<M>,
  count: number,
  inputAt: (position: number) => ModalityInput[M],
): number {
  if (encoder.missing === undefined || count === 0) return count;
  const step = Math.ceil(count / sampleSize);
  const sample: ModalityInput[M][] = [];
  for (let i = 0; i < count; i += step) sample.push(inputAt(i));
  return (encoder.missing(sample) * count) / sample.length;
}
