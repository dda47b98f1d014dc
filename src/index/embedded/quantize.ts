/** The largest absolute value. */
export function largestSize(vectors: Float32Array): number {
  let largest = 0;
  for (let i = 0; i < vectors.length; i++) {
    const size = Math.abs(vectors[i]);
    if (size > largest) largest = size;
  }
  return largest;
}

/** round(vectors * scale), which must lie in [-127, 127]. An error is at most half a step of 1 / scale. */
export function quantizeInto(values: Int8Array, vectors: Float32Array, scale: number): void {
  // Math.round without its call, which is most of the time: numbers above zero are cut to whole ones.
  for (let i = 0; i < vectors.length; i++) values[i] = ((vectors[i] * scale + 128.5) | 0) - 128;
}

/** A vector in 8 bits whose largest number becomes 127. */
export function quantize(vector: Float32Array): { values: Int8Array; scale: number } {
  const largest = largestSize(vector);
  const scale = largest === 0 ? 1 : 127 / largest;
  const values = new Int8Array(vector.length);
  quantizeInto(values, vector, scale);
  return { values, scale };
}

/**
 * What a dot product of two unit vectors, each rounded to steps of 1 / scale, can be off by: six standard deviations of
 * the sum of both rounding errors. Each error has the variance step^2 / 12 in every direction, so that of the sum is
 * (step_a^2 + step_b^2) / 12 whatever the dimensions.
 */
export function quantizationMargin(scaleA: number, scaleB: number): number {
  return 6 * Math.sqrt((scaleA ** -2 + scaleB ** -2) / 12);
}
