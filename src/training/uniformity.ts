import { cosines, type Rows, rowAt, rowCount, rowRange } from "../math/rows.js";

/**
 * e^{-2 |x - y|^2} of each pair of different unit rows, x_i and x_j with j < i at i (i - 1) / 2 +
 * j. Time and memory grow with the square of N, so callers sample first.
 */
export function pairKernel(rows: Rows): Float64Array {
  const n = rowCount(rows);
  const { dimensions } = rows;
  const kernel = new Float64Array((n * (n - 1)) / 2);
  for (let i = 1; i < n; i++) {
    const similarity = cosines({ values: rowAt(rows, i), dimensions }, rowRange(rows, 0, i));
    const from = (i * (i - 1)) / 2;
    for (let j = 0; j < i; j++) kernel[from + j] = Math.exp(-4 * (1 - similarity[j]));
  }
  return kernel;
}

/**
 * ln of the mean of e^{-2 |x - y|^2} over pairs of different rows. 0 when all rows are the same,
 * lower is more spread; NaN where there is no such pair.
 * Source: Wang and Isola 2020, https://arxiv.org/abs/2005.10242, t = 2.
 *
 * @param kernel  `pairKernel` of the rows.
 * @param items   the rows to look at, by default all. One drawn twice is not paired with itself.
 */
export function uniformity(kernel: Float64Array, items?: Uint32Array): number {
  let sum = 0;
  let count = 0;
  if (items === undefined) {
    for (const value of kernel) sum += value;
    count = kernel.length;
  } else {
    for (let i = 0; i < items.length; i++) {
      for (let j = 0; j < i; j++) {
        const high = Math.max(items[i], items[j]);
        const low = Math.min(items[i], items[j]);
        if (high === low) continue;
        sum += kernel[(high * (high - 1)) / 2 + low];
        count++;
      }
    }
  }
  return Math.min(0, Math.log(sum / count)); // a cosine of 1 may be slightly more in float32
}
