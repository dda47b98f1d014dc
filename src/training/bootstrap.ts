import type { Random } from "../math/random.js";

export type Interval = [low: number, high: number];

/**
 * 95 % percentile bootstrap interval of the mean: resamples the values with replacement and takes the 2.5th and 97.5th
 * percentile of the means. Source: Efron and Tibshirani 1993, chapter 13.
 */
export function bootstrapMean(values: ArrayLike<number>, random: Random, draws = 1000): Interval {
  const n = values.length;
  const means = new Float64Array(draws);
  for (let k = 0; k < draws; k++) {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += values[random.integer(n)];
    means[k] = sum / n;
  }
  means.sort();
  return [means[Math.floor(0.025 * (draws - 1))], means[Math.ceil(0.975 * (draws - 1))]];
}
