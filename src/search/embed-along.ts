import type { Embedding, Modality, ModalityInput } from "../encoders/encoder.js";
import { applyHeadInTurns } from "../encoders/with-head.js";
import type { Path } from "./find-path.js";

/**
 * An embedding in a path's target space, and the encoder's output if it was projected.
 */
export interface Embedded {
  embedding: Embedding;
  original?: { space: string; embedding: Embedding };
}

/** Inputs -> embeddings at the path's end, in order. */
export async function embedAlong<M extends Modality>(
  { encoder, projections, keepsOriginal = false }: Path<M>,
  inputs: readonly ModalityInput[M][],
  signal?: AbortSignal,
): Promise<Embedded[]> {
  const originals = await encoder.encode(inputs, signal);
  if (projections.length === 0 && !keepsOriginal)
    return originals.map((embedding) => ({ embedding }));
  let embeddings = originals;
  for (const head of projections) embeddings = await applyHeadInTurns(head, embeddings);
  return embeddings.map((embedding, i) => ({
    embedding,
    original: { space: encoder.space, embedding: originals[i] },
  }));
}
