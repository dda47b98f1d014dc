import type { Random } from "../math/random.js";
import { bootstrapMean, type Interval, median } from "../math/statistics.js";
import { type IsRight, ranks, recallAtK, transposed } from "./recall.js";

export interface Recall {
  at_1: number;
  at_5: number;
  at_10: number;
  median_rank: number;
  /** 95 % bootstrap intervals. */
  intervals?: { at_1: Interval; at_5: Interval; at_10: Interval };
}

export type BothWays<T> = { a_to_b: T; b_to_a: T };

/**
 * @param isRight  of pairs i and j: whether a_i and b_j belong together, and so b_i and a_j.
 * @param random   for the intervals; no intervals without it.
 */
export function recallBothWays(
  similarity: Float32Array,
  isRight: IsRight,
  random?: Random,
): BothWays<Recall> {
  const n = Math.sqrt(similarity.length);
  return {
    a_to_b: recallOf(ranks(similarity, n, isRight), random),
    b_to_a: recallOf(ranks(transposed(similarity, n), n, isRight), random),
  };
}

function recallOf(all: Float64Array, random?: Random): Recall {
  const recall: Recall = {
    at_1: recallAtK(all, 1),
    at_5: recallAtK(all, 5),
    at_10: recallAtK(all, 10),
    median_rank: median(all),
  };
  if (random !== undefined) {
    const interval = (k: number) =>
      bootstrapMean(
        all.map((rank) => (rank <= k ? 1 : 0)),
        random,
      );
    recall.intervals = { at_1: interval(1), at_5: interval(5), at_10: interval(10) };
  }
  return recall;
}
