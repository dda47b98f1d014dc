import { norm } from "../math/vector.js";

/** A copy of length 1 to float32 precision; the same numbers if they already are. */
export function unitLength(embedding: Float32Array): Float32Array {
  const length = norm(embedding);
  return Math.abs(length - 1) < 1e-6 ? embedding.slice() : embedding.map((value) => value / length);
}
