import type { Encoder, Modality } from "./encoder.js";
import { applyHead, dimensionsIn, dimensionsOut, type ProjectionHead } from "./head.js";

/** Encoder -> Encoder: applies a head to every embedding; the result lives in the head's space. */
export function withHead<M extends Modality>(
  encoder: Encoder<M>,
  head: ProjectionHead,
  target: { modelId: string; space: string },
): Encoder<M> {
  if (encoder.dimensions !== dimensionsIn(head)) {
    throw new RangeError(`The head takes ${dimensionsIn(head)} numbers but the encoder gives ${encoder.dimensions}`);
  }
  return {
    modality: encoder.modality,
    modelId: target.modelId,
    space: target.space,
    dimensions: dimensionsOut(head),
    encode: async (inputs, signal) => applyHead(head, await encoder.encode(inputs, signal)),
    dispose: () => encoder.dispose(),
  };
}
