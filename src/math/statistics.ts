import type { Random } from "./random.js";

/** `mean([1, 2, 6])` is 3; NaN for none. */
export function mean(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i];
  return sum / values.length;
}

/** The middle value, or the mean of the two in the middle. `median([9, 1, 4, 2])` is 3. */
export function median(values: ArrayLike<number>): number {
  const sorted = Float64Array.from(values).sort();
  const middle = (sorted.length - 1) / 2;
  return (sorted[Math.floor(middle)] + sorted[Math.ceil(middle)]) / 2;
}

export type Interval = [low: number, high: number];

/**
 * 95 % percentile bootstrap interval: draws items with replacement and takes the 2.5th and 97.5th
 * percentile of `statistic`. Source: Efron and Tibshirani 1993, chapter 13.
 *
 * @param count  items to draw from; `statistic` is given their positions, in 0..count-1.
 * @param size   positions in a draw; by default as many as there are items.
 */
export function bootstrap(
  count: number,
  statistic: (positions: Uint32Array) => number,
  random: Random,
  { draws = 1000, size = count }: { draws?: number; size?: number } = {},
): Interval {
  const positions = new Uint32Array(size);
  const drawn = new Float64Array(draws);
  for (let k = 0; k < draws; k++) {
    for (let i = 0; i < size; i++) positions[i] = random.integer(count);
    drawn[k] = statistic(positions);
  }
  const values = drawn.filter((value) => !Number.isNaN(value)).sort(); // some draws have none
  return [
    values[Math.floor(0.025 * (values.length - 1))],
    values[Math.ceil(0.975 * (values.length - 1))],
  ];
}

/** `bootstrap` of the mean. */
export function bootstrapMean(values: ArrayLike<number>, random: Random, draws = 1000): Interval {
  const meanAt = (positions: Uint32Array) => {
    let sum = 0;
    for (let i = 0; i < positions.length; i++) sum += values[positions[i]];
    return sum / positions.length;
  };
  return bootstrap(values.length, meanAt, random, { draws });
}
