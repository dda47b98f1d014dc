import type { Random } from "../math/random.js";
import { type PairFacts, similarities } from "./pair-facts.js";

/** A measure before and after training, with the 95 % bootstrap interval of the change. */
export interface Measure {
  before: number;
  after: number;
  change: number;
  interval: [number, number];
  /** What the interval allows to say; `unclear` when it holds zero. */
  says: "better" | "worse" | "unclear" | "higher" | "lower";
}

export type Measures = Record<string, Measure>;

const resamples = 1000;
/** Resamples of the measures that look at all pairs of items at once, over at most this many items. */
const geometryResamples = 200;
const geometryItems = 300;

/** One number for each item; the measure is a function of a resampled list of items. */
type Statistic = (items: Uint32Array) => number;

/**
 * Measures of the same pairs before and after, resampled together: the change of one pair is what varies.
 * `mean_reciprocal_rank` is over both directions and decides the verdict.
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
    measures[name] = bootstrap(of(before), of(after), n, items, draws, good, random);
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
    compare(`${name}_median_rank`, (facts) => (items) => median(items, facts[ranks]), "down");
  }
  compare(
    "alignment",
    (facts) => (items) => mean(items, (i) => facts.squaredDistance[i]),
    "neither",
  );
  compare("centroid_gap", centroidGap, "neither", true);
  if (n < 2) return measures; // uniformity is over pairs of different items
  compare("uniformity_a", (facts) => uniformity(facts.a, facts.dimensions), "neither", true);
  compare("uniformity_b", (facts) => uniformity(facts.b, facts.dimensions), "neither", true);
  return measures;
}

/** The share of hits before and after; see `zeroShotHits`. */
export function compareHits(before: Float64Array, after: Float64Array, random: Random): Measure {
  const share =
    (hits: Float64Array): Statistic =>
    (items) =>
      mean(items, (i) => hits[i]);
  return bootstrap(
    share(before),
    share(after),
    before.length,
    before.length,
    resamples,
    "up",
    random,
  );
}

function bootstrap(
  before: Statistic,
  after: Statistic,
  count: number,
  items: number,
  draws: number,
  good: "up" | "down" | "neither",
  random: Random,
): Measure {
  const all = Uint32Array.from({ length: count }, (_, i) => i);
  const [was, is] = [before(all), after(all)];
  const drawn = new Float64Array(draws);
  const sample = new Uint32Array(items);
  for (let k = 0; k < draws; k++) {
    for (let i = 0; i < items; i++) sample[i] = random.integer(count);
    drawn[k] = after(sample) - before(sample);
  }
  const changes = drawn.filter((change) => !Number.isNaN(change)).sort(); // one item drawn every time has no uniformity
  const interval: [number, number] = [
    changes[Math.floor(0.025 * (changes.length - 1))],
    changes[Math.ceil(0.975 * (changes.length - 1))],
  ];
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

function median(items: Uint32Array, values: Float64Array): number {
  const sorted = Float64Array.from(items, (i) => values[i]).sort();
  const middle = (sorted.length - 1) / 2;
  return (sorted[Math.floor(middle)] + sorted[Math.ceil(middle)]) / 2;
}

/** |mean(a) - mean(b)|, Liang et al. 2022, https://arxiv.org/abs/2203.02053. */
function centroidGap({ a, b, dimensions }: PairFacts): Statistic {
  return (items) => {
    const difference = new Float64Array(dimensions);
    for (const i of items) {
      for (let d = 0; d < dimensions; d++)
        difference[d] += a[i * dimensions + d] - b[i * dimensions + d];
    }
    return Math.hypot(...difference) / items.length;
  };
}

/**
 * ln of the mean of e^{-2 |x - y|^2} over pairs of different items, Wang and Isola 2020,
 * https://arxiv.org/abs/2005.10242; of a resample, over pairs that are not the same item drawn twice.
 */
function uniformity(x: Float32Array, dimensions: number): Statistic {
  const n = x.length / dimensions;
  const kernel = similarities(x, x, dimensions).map((s) => Math.exp(-2 * (2 - 2 * s)));
  return (items) => {
    let sum = 0;
    let count = 0;
    for (let i = 0; i < items.length; i++) {
      for (let j = 0; j < i; j++) {
        if (items[i] === items[j]) continue;
        sum += kernel[items[i] * n + items[j]];
        count++;
      }
    }
    return Math.log(sum / count);
  };
}
