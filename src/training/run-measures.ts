import type { Random } from "../math/random.js";
import { meanRow, type Rows, take } from "../math/rows.js";
import { bootstrap, type Interval, median } from "../math/statistics.js";
import { norm } from "../math/vector.js";
import type { PairFacts } from "./pair-facts.js";
import { pairKernel, uniformity } from "./uniformity.js";

/** A measure before and after training, with the 95 % bootstrap interval of the change. */
export interface Measure {
  before: number;
  after: number;
  change: number;
  interval: Interval;
  /** The conclusion from the interval; `unclear` when it contains zero. */
  says: "better" | "worse" | "unclear" | "higher" | "lower";
}

export type Measures = Record<string, Measure>;

const resamples = 1000;
/**
 * Resamples for measures over all pairs of items, with at most this many items.
 */
const geometryResamples = 200;
const geometryItems = 300;

/** One number for each item; the measure is a function of a resampled list of items. */
type Statistic = (items: Uint32Array) => number;

/**
 * Measures of the same pairs before and after, resampled together: the change of one pair is what
 * varies. `mean_reciprocal_rank` is over both directions and decides the verdict.
 */
export function compareFacts(before: PairFacts, after: PairFacts, random: Random): Measures {
  const measures: Measures = {};
  const n = before.pairs;
  const compare = (
    name: string,
    of: (facts: PairFacts) => Statistic,
    good: "up" | "down" | "neither",
    geometry = false,
  ) => {
    const items = geometry ? Math.min(n, geometryItems) : n;
    const draws = geometry ? geometryResamples : resamples;
    measures[name] = compared(of(before), of(after), n, { size: items, draws }, good, random);
  };
  const reciprocal = (rank: number) => 1 / rank;
  compare(
    "mean_reciprocal_rank",
    (facts) => (items) =>
      (mean(items, (i) => reciprocal(facts.rankAToB[i])) +
        mean(items, (i) => reciprocal(facts.rankBToA[i]))) /
      2,
    "up",
  );
  for (const [name, ranks] of [["a_to_b", "rankAToB"] as const, ["b_to_a", "rankBToA"] as const]) {
    for (const k of [1, 5, 10]) {
      compare(
        `${name}_recall_at_${k}`,
        (facts) => (items) => mean(items, (i) => (facts[ranks][i] <= k ? 1 : 0)),
        "up",
      );
    }
    compare(`${name}_median_rank`, (facts) => (items) => median(at(items, facts[ranks])), "down");
  }
  compare(
    "alignment",
    (facts) => (items) => mean(items, (i) => facts.squaredDistance[i]),
    "neither",
  );
  compare("centroid_gap", centroidGap, "neither", true);
  if (n < 2) return measures; // uniformity is over pairs of different items
  const spreadOf = (rows: Rows): Statistic => {
    const kernel = pairKernel(rows);
    return (items) => uniformity(kernel, items);
  };
  compare("uniformity_a", (facts) => spreadOf(facts.a), "neither", true);
  compare("uniformity_b", (facts) => spreadOf(facts.b), "neither", true);
  return measures;
}

/** The share of hits before and after; see `zeroShotHits`. */
export function compareHits(before: Float64Array, after: Float64Array, random: Random): Measure {
  const share =
    (hits: Float64Array): Statistic =>
    (items) =>
      mean(items, (i) => hits[i]);
  const n = before.length;
  return compared(share(before), share(after), n, { draws: resamples }, "up", random);
}

function compared(
  before: Statistic,
  after: Statistic,
  count: number,
  options: { draws: number; size?: number },
  good: "up" | "down" | "neither",
  random: Random,
): Measure {
  const all = Uint32Array.from({ length: count }, (_, i) => i);
  const [was, is] = [before(all), after(all)];
  const changeOf: Statistic = (items) => after(items) - before(items);
  const interval = bootstrap(count, changeOf, random, options);
  const direction = interval[0] > 0 ? "up" : interval[1] < 0 ? "down" : undefined;
  let says: Measure["says"] = "unclear";
  if (direction !== undefined && good === "neither") says = direction === "up" ? "higher" : "lower";
  else if (direction !== undefined) says = direction === good ? "better" : "worse";
  return { before: was, after: is, change: is - was, interval, says };
}

function mean(items: Uint32Array, value: (i: number) => number): number {
  let sum = 0;
  for (const i of items) sum += value(i);
  return sum / items.length;
}

const at = (items: Uint32Array, values: Float64Array) => Float64Array.from(items, (i) => values[i]);

/** |mean(a) - mean(b)|, Liang et al. 2022, https://arxiv.org/abs/2203.02053. */
function centroidGap({ a, b }: PairFacts): Statistic {
  return (items) => {
    const ofB = meanRow(take(b, items));
    return norm(meanRow(take(a, items)).map((x, d) => x - ofB[d]));
  };
}
