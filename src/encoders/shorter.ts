import { AppError, invalidInput } from "../errors.js";
import { normalize } from "../math/vector.js";
import type { Embedding } from "./encoder.js";
import type { LoadedPack } from "./load.js";
import type { Manifest } from "./manifest.js";

/** Embeddings of the length that a request asks for. */
export interface Cut {
  /** Shorter embeddings compare only with those of the same length. */
  space: string;
  /**
   * The first numbers of whole embeddings, at unit length again: those of a model that was trained
   * for it lose little (Kusupati et al. 2022, "Matryoshka Representation Learning"; the same as
   * `truncate_embeddings` and a normalisation in sentence-transformers).
   */
  cut(embeddings: readonly Embedding[]): Embedding[];
}

/**
 * @param wanted  length of the embeddings; the model's where it is left out.
 * @throws AppError `invalid_input` for a length that the model's manifest does not allow.
 */
export function cutTo(
  { manifest, space }: Pick<LoadedPack, "manifest" | "space">,
  wanted: number | undefined,
): Cut {
  const { id, dimensions } = manifest;
  if (wanted === undefined || wanted === dimensions)
    return { space, cut: (embeddings) => [...embeddings] };
  if (!allowsShorter(manifest, wanted)) {
    const message =
      `The model "${id}" gives ${dimensions} dimensions, not ${wanted} ` +
      `(shorter ones: ${shorterNamed(manifest)})`;
    throw invalidInput("dimensions", message);
  }
  return {
    space: `${space}:${wanted}`,
    cut: (embeddings) => embeddings.map((embedding) => unit(embedding.subarray(0, wanted), id)),
  };
}

export function allowsShorter(
  { dimensions, shorterDimensions }: Pick<Manifest, "dimensions" | "shorterDimensions">,
  wanted: number,
): boolean {
  if (shorterDimensions === undefined || wanted >= dimensions) return false;
  return Array.isArray(shorterDimensions)
    ? shorterDimensions.includes(wanted)
    : wanted >= shorterDimensions.min;
}

function shorterNamed({ dimensions, shorterDimensions }: Manifest): string {
  if (shorterDimensions === undefined) return "none, it was not trained for them";
  return Array.isArray(shorterDimensions)
    ? shorterDimensions.join(", ")
    : `${shorterDimensions.min} to ${dimensions - 1}`;
}

function unit(start: Embedding, id: string): Embedding {
  try {
    return normalize(start);
  } catch (cause) {
    const message = `The first ${start.length} numbers of an embedding of "${id}" are all zero`;
    throw new AppError("inference_failed", message, { cause });
  }
}
