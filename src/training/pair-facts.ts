import { type Cancellation, throwIfCancelled } from "./cancellation.js";

/** Facts about pairs in one space, one number for each pair: what measures and their confidence are computed from. */
export interface PairFacts {
  pairs: number;
  dimensions: number;
  a: Float32Array;
  b: Float32Array;
  /** Rank of the best correct b for each a, 1 = first. A wrong b that ties counts as before it. */
  rankAToB: Float64Array;
  rankBToA: Float64Array;
  /** |a_i - b_i|^2 */
  squaredDistance: Float64Array;
}

/**
 * @param a       [N, D] unit rows; row i of `b` is its pair.
 * @param labels  when given, everything of the same label is correct, not the pair alone.
 */
export function pairFacts(
  a: Float32Array,
  b: Float32Array,
  dimensions: number,
  labels?: Int32Array,
): PairFacts {
  const pairs = a.length / dimensions;
  const correct = (i: number, j: number) =>
    i === j || (labels !== undefined && labels[i] === labels[j]);
  const similarity = similarities(a, b, dimensions);
  const bestOfRow = new Float32Array(pairs).fill(-2);
  const bestOfColumn = new Float32Array(pairs).fill(-2);
  for (let i = 0; i < pairs; i++) {
    for (let j = 0; j < pairs; j++) {
      if (!correct(i, j)) continue;
      const s = similarity[i * pairs + j];
      if (s > bestOfRow[i]) bestOfRow[i] = s;
      if (s > bestOfColumn[j]) bestOfColumn[j] = s;
    }
  }
  const rankAToB = new Float64Array(pairs).fill(1);
  const rankBToA = new Float64Array(pairs).fill(1);
  for (let i = 0; i < pairs; i++) {
    for (let j = 0; j < pairs; j++) {
      if (correct(i, j)) continue;
      const s = similarity[i * pairs + j];
      if (s >= bestOfRow[i]) rankAToB[i]++;
      if (s >= bestOfColumn[j]) rankBToA[j]++;
    }
  }
  const squaredDistance = Float64Array.from(
    { length: pairs },
    (_, i) => 2 - 2 * similarity[i * pairs + i],
  );
  return { pairs, dimensions, a, b, rankAToB, rankBToA, squaredDistance };
}

/** Dot products of all rows of a [N, D] with all rows of b [M, D] -> [N, M], in float32. */
export function similarities(
  a: Float32Array,
  b: Float32Array,
  dimensions: number,
  signal?: Cancellation,
): Float32Array {
  const n = a.length / dimensions;
  const m = b.length / dimensions;
  const result = new Float32Array(n * m);
  const whole = dimensions - (dimensions % 4);
  for (let i = 0; i < n; i++) {
    throwIfCancelled(signal);
    for (let j = 0; j < m; j++) {
      let s0 = 0;
      let s1 = 0;
      let s2 = 0;
      let s3 = 0;
      const p = i * dimensions;
      const q = j * dimensions;
      let d = 0;
      for (; d < whole; d += 4) {
        s0 += a[p + d] * b[q + d];
        s1 += a[p + d + 1] * b[q + d + 1];
        s2 += a[p + d + 2] * b[q + d + 2];
        s3 += a[p + d + 3] * b[q + d + 3];
      }
      for (; d < dimensions; d++) s0 += a[p + d] * b[q + d];
      result[i * m + j] = s0 + s1 + s2 + s3;
    }
  }
  return result;
}

/**
 * Zero-shot accuracy item by item: is a row of `a` closest to the class of its label, where a class is the mean of the
 * `b` rows of that label among `known`?
 *
 * @returns 1 or 0 for each of `items` whose label occurs among `known`.
 */
export function zeroShotHits(
  a: Float32Array,
  b: Float32Array,
  dimensions: number,
  labels: Int32Array,
  known: readonly number[],
  items: readonly number[],
): Float64Array {
  const means = new Map<number, Float64Array>();
  for (const at of known) {
    const mean = means.get(labels[at]) ?? new Float64Array(dimensions);
    means.set(labels[at], mean);
    for (let d = 0; d < dimensions; d++) mean[d] += b[at * dimensions + d];
  }
  for (const mean of means.values()) {
    const length = Math.hypot(...mean);
    for (let d = 0; d < dimensions; d++) mean[d] /= length;
  }
  const hits: number[] = [];
  for (const at of items) {
    if (!means.has(labels[at])) continue;
    let best = Number.NEGATIVE_INFINITY;
    let chosen = -1;
    for (const [label, mean] of means) {
      let similarity = 0;
      for (let d = 0; d < dimensions; d++) similarity += mean[d] * a[at * dimensions + d];
      if (similarity > best) {
        best = similarity;
        chosen = label;
      }
    }
    hits.push(chosen === labels[at] ? 1 : 0);
  }
  return Float64Array.from(hits);
}
