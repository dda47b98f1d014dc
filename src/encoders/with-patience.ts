import { AppError } from "../errors.js";
import type { Encoder, Modality } from "./encoder.js";

const firstWaitMs = 50;
const longestWaitMs = 1000;

/**
 * Encoder -> Encoder: waits while the queue is full instead of failing with `overloaded`. For bulk work, whose waiting
 * holds back whoever sends it; a request that someone waits for is better refused at once.
 */
export function withPatience<M extends Modality>(encoder: Encoder<M>): Encoder<M> {
  return {
    modality: encoder.modality,
    modelId: encoder.modelId,
    space: encoder.space,
    dimensions: encoder.dimensions,
    async encode(inputs, signal) {
      for (let waitMs = firstWaitMs; ; waitMs = Math.min(longestWaitMs, 2 * waitMs)) {
        try {
          return await encoder.encode(inputs, signal);
        } catch (error) {
          if (!(error instanceof AppError) || error.code !== "overloaded") throw error;
          await new Promise((resolve) => setTimeout(resolve, waitMs));
          signal?.throwIfAborted();
        }
      }
    },
    dispose: () => encoder.dispose(),
  };
}
