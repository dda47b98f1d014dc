import {
  cosines,
  meanRow,
  type Rows,
  rowAt,
  rowCount,
  squaredDistances,
  take,
} from "../math/rows.js";
import { dot, norm } from "../math/vector.js";

/**
 * Facts about pairs in one space, one number for each pair, from which measures and their intervals
 * are computed.
 */
export interface PairFacts {
  pairs: number;
  /** [pairs, D] unit rows. */
  a: Rows;
  b: Rows;
  /** Rank of the best correct b for each a, 1 = first. A wrong b that ties counts as before it. */
  rankAToB: Float64Array;
  rankBToA: Float64Array;
  /** |a_i - b_i|^2 */
  squaredDistance: Float64Array;
}

/**
 * @param a       unit rows; row i of `b` is its pair.
 * @param labels  when given, everything with the same label is correct, not only the pair.
 */
export function pairFacts(a: Rows, b: Rows, labels?: Int32Array): PairFacts {
  const pairs = rowCount(a);
  const correct = (i: number, j: number) =>
    i === j || (labels !== undefined && labels[i] === labels[j]);
  const similarity = cosines(a, b);
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
  return { pairs, a, b, rankAToB, rankBToA, squaredDistance: squaredDistances(a, b) };
}

/**
 * Zero-shot accuracy item by item: is a row of `a` closest to the class of its label, where a class
 * is the mean of the `b` rows of that label among `examples`?
 *
 * @returns 1 or 0 for each of `items` whose label occurs among `examples`.
 */
export function zeroShotHits(
  a: Rows,
  b: Rows,
  labels: Int32Array,
  examples: readonly number[],
  items: readonly number[],
): Float64Array {
  const groups = new Map<number, number[]>();
  for (const at of examples) {
    const group = groups.get(labels[at]);
    if (group) group.push(at);
    else groups.set(labels[at], [at]);
  }
  const classes = [...groups].map(([label, group]) => {
    const mean = meanRow(take(b, group));
    const length = norm(mean) || 1; // rows that cancel out have no direction: cosine 0
    return { label, mean: mean.map((x) => x / length) };
  });
  const hits: number[] = [];
  for (const at of items) {
    if (!groups.has(labels[at])) continue;
    let best = Number.NEGATIVE_INFINITY;
    let chosen = -1;
    for (const { label, mean } of classes) {
      const similarity = dot(mean, rowAt(a, at));
      if (similarity > best) {
        best = similarity;
        chosen = label;
      }
    }
    hits.push(chosen === labels[at] ? 1 : 0);
  }
  return Float64Array.from(hits);
}
