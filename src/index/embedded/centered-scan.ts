import { dot } from "../../math/vector.js";
import type { TopK } from "../top-k.js";
import type { VectorTable } from "./vector-table.js";

/**
 * Offers live vectors with their mean-centred similarity, the cosine of q - mean(q's modality) and
 * x - mean(x's modality):
 *
 *   (q' · x - q' · m) / |x - m|,   q' = (q - mean) / |q - mean|,
 *   |x - m|² = 1 - 2 x·m + |m|²   as |x| = 1
 *
 * A vector that equals its mean has no direction left and similarity 0.
 *
 * @param query  q', see `centered`.
 * @param means  by modality number.
 */
export function scanCentered(
  table: VectorTable,
  query: Float32Array,
  means: Map<number, ArrayLike<number>>,
  top: TopK,
  positions: Iterable<number>,
): void {
  const constants = new Map(
    [...means].map(([modality, mean]) => [
      modality,
      { mean: Float32Array.from(mean), queryPart: dot(query, mean), meanSquare: dot(mean, mean) },
    ]),
  );
  for (const position of positions) {
    if (!table.isLive(position)) continue;
    const ofModality = constants.get(table.modality(position));
    if (ofModality === undefined) continue; // cannot be: a live item counts in its modality's mean
    const lengthSquare = 1 - 2 * table.dot(position, ofModality.mean) + ofModality.meanSquare;
    const similarity =
      lengthSquare < 1e-6
        ? 0
        : (table.dot(position, query) - ofModality.queryPart) / Math.sqrt(lengthSquare);
    top.offer(similarity, table.row(position), position);
  }
}
