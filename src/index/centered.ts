import { norm } from "../math/vector.js";

/** q - mean, scaled to length 1; q itself when the difference is zero or there is no mean. */
export function centered(query: Float32Array, mean: ArrayLike<number> | undefined): Float32Array {
  if (mean === undefined) return query;
  const difference = Float64Array.from(query, (value, i) => value - mean[i]);
  const length = norm(difference);
  return length < 1e-6 ? query : Float32Array.from(difference, (value) => value / length);
}
