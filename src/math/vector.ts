/** Dot product of two vectors of the same length, accumulated in float64. */
export function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

/** Euclidean length. `norm([3, 4])` is 5. */
export function norm(a: ArrayLike<number>): number {
  return Math.sqrt(dot(a, a));
}

/**
 * The vector scaled to length 1, as float32.
 * @throws RangeError when the length is zero or not finite: such a vector has no direction.
 */
export function normalize(a: ArrayLike<number>): Float32Array {
  const length = norm(a);
  if (!(length > 0) || !Number.isFinite(length)) {
    throw new RangeError(`Cannot normalize a vector of length ${length}`);
  }
  const unit = new Float32Array(a.length);
  for (let i = 0; i < a.length; i++) unit[i] = a[i] / length;
  return unit;
}

/** Arithmetic mean of N >= 1 vectors of the same length, as float64. */
export function meanVector(vectors: readonly ArrayLike<number>[]): Float64Array {
  const mean = new Float64Array(vectors[0].length);
  for (const vector of vectors) for (let i = 0; i < mean.length; i++) mean[i] += vector[i];
  for (let i = 0; i < mean.length; i++) mean[i] /= vectors.length;
  return mean;
}
