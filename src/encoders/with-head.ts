import type { Embedding, Encoder, Modality } from "./encoder.js";
import { applyHead, dimensionsIn, dimensionsOut, type ProjectionHead } from "./head.js";

/** Encoder -> Encoder: applies a head to every embedding; the result lives in the head's space. */
export function withHead<M extends Modality>(
  encoder: Encoder<M>,
  head: ProjectionHead,
  target: { modelId: string; space: string },
): Encoder<M> {
  if (encoder.dimensions !== dimensionsIn(head)) {
    throw new RangeError(
      `The head takes ${dimensionsIn(head)} numbers but the encoder gives ${encoder.dimensions}`,
    );
  }
  return {
    modality: encoder.modality,
    modelId: target.modelId,
    space: target.space,
    dimensions: dimensionsOut(head),
    encode: async (inputs, signal) => applyHeadInTurns(head, await encoder.encode(inputs, signal)),
    missing: encoder.missing && ((inputs) => encoder.missing!(inputs)),
    dispose: () => encoder.dispose(),
  };
}

/** A linear head of 512 x 512 takes about 0.2 ms an embedding. */
const embeddingsAtOnce = 32;

/**
 * `applyHead` for any number of embeddings: yields to the event loop every few milliseconds.
 */
export async function applyHeadInTurns(
  head: ProjectionHead,
  embeddings: readonly Embedding[],
): Promise<Embedding[]> {
  const projected: Embedding[] = [];
  for (let from = 0; from < embeddings.length; from += embeddingsAtOnce) {
    if (from > 0) await new Promise((resolve) => setImmediate(resolve));
    projected.push(...applyHead(head, embeddings.slice(from, from + embeddingsAtOnce)));
  }
  return projected;
}
