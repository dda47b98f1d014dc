/** Similarity of pairs compared with that of all other combinations. */
export interface PairCosines {
  /** Ends of the steps that are counted; each covers an equal part. */
  low: number;
  high: number;
  /** Counts, lowest cosines first. */
  pairs: number[];
  others: number[];
  mean_pairs: number;
  mean_others: number;
}

const steps = 60;

/**
 * Histograms of the cosines of pairs (the diagonal) and of all others, on one axis.
 *
 * @param similarity  [N, N], rows of one side against rows of the other; N >= 2.
 */
export function pairCosines(similarity: Float32Array): PairCosines {
  const n = Math.sqrt(similarity.length);
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  let all = 0;
  for (const cosine of similarity) {
    low = Math.min(low, cosine);
    high = Math.max(high, cosine);
    all += cosine;
  }
  const pairs = new Array<number>(steps).fill(0);
  const others = new Array<number>(steps).fill(0);
  const width = (high - low) / steps || 1;
  let ofPairs = 0;
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      const cosine = similarity[i * n + j];
      const step = Math.min(steps - 1, Math.floor((cosine - low) / width));
      (i === j ? pairs : others)[step]++;
      if (i === j) ofPairs += cosine;
    }
  }
  const meanOthers = (all - ofPairs) / (n * n - n);
  return { low, high, pairs, others, mean_pairs: ofPairs / n, mean_others: meanOthers };
}

/** Hubs, and items that nothing finds. */
export interface Hubs {
  /** Of how often items are among the first ten: 0 when equal, high when a few dominate. */
  skewness: number;
  /** Share of queries with the most frequent item among their first ten. */
  largest: number;
  /** Share of items that are among no query's first ten. */
  never: number;
  /**
   * The items that at least twice as many queries find as the average one, the most frequent first,
   * ten at most: `row` is the column of the similarities, `share` that of the queries.
   */
  items: { row: number; share: number }[];
}

/** Items by their row in the request, of the side that is searched, or by their id. */
export type ReportedHubs = Omit<Hubs, "items"> & {
  items: { row?: number; id?: string; share: number }[];
};

const nearest = 10;
const maxHubs = 10;

/**
 * How unevenly items are found: the skewness of N_10, the number of queries that have an item among
 * their ten nearest.
 * Source: Radovanović et al. 2010, https://jmlr.org/papers/v11/radovanovic10a.html
 *
 * @param similarity  [N, N], a row for each query.
 * @param order  the rows that the columns stand for; by default their own.
 */
export function hubs(similarity: Float32Array, order?: ArrayLike<number>): Hubs {
  const n = Math.sqrt(similarity.length);
  const k = Math.min(nearest, n);
  const found = new Int32Array(n);
  for (let i = 0; i < n; i++) {
    const row = similarity.subarray(i * n, (i + 1) * n);
    for (const j of largestOf(row, k)) found[j]++;
  }
  let [squares, cubes, zeroCount, largest] = [0, 0, 0, 0];
  for (const count of found) {
    squares += (count - k) ** 2 / n; // the mean is k: every query finds k
    cubes += (count - k) ** 3 / n;
    if (count === 0) zeroCount++;
    largest = Math.max(largest, count);
  }
  const skewness = squares === 0 ? 0 : cubes / squares ** 1.5;
  const items = [...found.keys()]
    .filter((row) => found[row] >= 2 * k)
    .sort((i, j) => found[j] - found[i] || i - j)
    .slice(0, maxHubs)
    .map((row) => ({ row: order?.[row] ?? row, share: found[row] / n }));
  return { skewness, largest: largest / n, never: zeroCount / n, items };
}

/** Positions of the `k` largest, by insertion: k is small. */
function largestOf(values: Float32Array, k: number): number[] {
  const best: number[] = [];
  for (let j = 0; j < values.length; j++) {
    if (best.length === k && values[j] <= values[best[k - 1]]) continue;
    let place = best.length;
    while (place > 0 && values[best[place - 1]] < values[j]) place--;
    best.splice(place, 0, j);
    if (best.length > k) best.pop();
  }
  return best;
}
