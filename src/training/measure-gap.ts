import { AppError } from "../errors.js";
import { type Random, seededRandom } from "../math/random.js";
import { bootstrapMean, type Interval } from "./bootstrap.js";
import {
  alignment,
  centered,
  centroid,
  centroidSeparability,
  gapDimensions,
  gapVector,
  lengthOf,
  meanCosine,
  pairCosines,
  relativeModalityGap,
  rowCount,
} from "./gap.js";
import { type Projection, projectGap } from "./gap-projection.js";
import { infoNceOf, shifter, uniformity } from "./gap-similarities.js";
import { similarities } from "./pair-facts.js";
import { meanReciprocalRank, medianRank, ranks, recallAtK, transposed } from "./recall.js";
import type { Rows } from "./training-request.js";

export interface GapRequest {
  /** Rows of any length but zero; they are brought to unit length. `name` is how errors call them, by default `a.embeddings`. */
  a: Rows & { modality: string; name?: string };
  b: Rows & { modality: string; name?: string };
  /** Row i of `a` belongs to row i of `b`. */
  paired: boolean;
  /** Draws the sample and the bootstrap. Default 1. */
  seed?: number;
}

export interface Recall {
  at_1: number;
  at_5: number;
  at_10: number;
  median_rank: number;
  /** 95 % bootstrap intervals. */
  intervals?: { at_1: Interval; at_5: Interval; at_10: Interval };
}

type BothWays<T> = { a_to_b: T; b_to_a: T };

/** The report as it goes over the wire. What needs pairs is null where there are none. */
export interface GapReport {
  modalities: { a: string; b: string };
  items: { a: number; b: number };
  dimensions: number;
  paired: boolean;
  /** Rows that recall, uniformity and the shift curve were measured on; all of them up to 2,000. */
  sample: { a: number; b: number };
  centroid_gap: number;
  mean_cosine: { a: number; b: number };
  uniformity: { a: number; b: number };
  linear_separability: { centroids: number; held_out: number };
  gap_dimensions: { dimension: number; share: number }[];
  /** Shares of the squared gap that the 1, 2, 5, 10 and 20 strongest dimensions carry together. */
  gap_share: Record<string, number>;
  relative_modality_gap: number | null;
  alignment: number | null;
  alignment_interval: Interval | null;
  recall: BothWays<Recall> | null;
  shift_curve:
    | {
        delta: number;
        distance: number;
        a_to_b_at_1: number;
        b_to_a_at_1: number;
        /** Symmetric InfoNCE at temperature 0.01; `losses` has three temperatures. */
        loss: number;
        losses: Record<"0.01" | "0.1" | "1", number>;
      }[]
    | null;
  centered: {
    centroid_gap: number;
    relative_modality_gap: number | null;
    recall: BothWays<Recall> | null;
  };
  /** Means from the first half of the rows, measured on the other half: what centring does to items it has not seen. */
  held_out: {
    centroid_gap: number;
    recall: BothWays<Recall> | null;
    centered: { centroid_gap: number; recall: BothWays<Recall> | null };
    /** A b-query must find its a among the a of its half and as many strangers of its own modality. */
    mixed_corpus: Record<
      "before" | "centered",
      { at_10: number; mean_reciprocal_rank: number }
    > | null;
  } | null;
  projection: Projection;
}

/** Rows whose pairwise similarities are looked at: 2,000 squared is 16 MB and about a second. */
export const sampledRows = 2000;
const deltas = [-1, -0.75, -0.5, -0.25, 0, 0.25, 0.5, 0.75, 1];

/**
 * Everything the gap report says. Rows are brought to unit length in place.
 * @throws AppError `invalid_input` naming the row: not finite, or without direction.
 */
export function measureGap(request: GapRequest, onProgress?: (share: number) => void): GapReport {
  const { paired, seed = 1 } = request;
  const random = seededRandom(seed);
  const { a, b } = checkSides(request);
  const gap = gapVector(a, b);
  const cosines = paired ? pairCosines(a, b) : undefined;
  const dimensions = gapDimensions(gap);
  const shareOf = (count: number) =>
    dimensions.slice(0, count).reduce((sum, { share }) => sum + share, 0);
  onProgress?.(0.1);

  const few = sample(a, b, paired, random);
  const similarity = paired ? similarities(few.a.values, few.b.values, a.dimensions) : undefined;
  onProgress?.(0.3);
  const ca = centered(few.a, centroid(few.a));
  const cb = centered(few.b, centroid(few.b));
  const both = { uniformityA: uniformity(few.a), uniformityB: uniformity(few.b) };
  onProgress?.(0.5);
  const curve = similarity && shiftCurve(few.a, few.b, similarity);
  onProgress?.(0.8);
  const [headA, tailA] = halves(few.a);
  const [headB, tailB] = halves(few.b);
  return {
    modalities: { a: request.a.modality, b: request.b.modality },
    items: { a: rowCount(a), b: rowCount(b) },
    dimensions: a.dimensions,
    paired,
    sample: { a: rowCount(few.a), b: rowCount(few.b) },
    centroid_gap: lengthOf(gap),
    mean_cosine: { a: meanCosine(a), b: meanCosine(b) },
    uniformity: { a: both.uniformityA, b: both.uniformityB },
    linear_separability: {
      centroids: centroidSeparability({ a, b }, { a, b }),
      held_out: centroidSeparability({ a: headA, b: headB }, { a: tailA, b: tailB }),
    },
    gap_dimensions: dimensions.slice(0, 20),
    gap_share: Object.fromEntries([1, 2, 5, 10, 20].map((count) => [count, shareOf(count)])),
    relative_modality_gap: cosines ? relativeModalityGap(a, b, cosines) : null,
    alignment: cosines ? alignment(cosines) : null,
    alignment_interval: cosines
      ? bootstrapMean(
          cosines.map((cosine) => 2 - 2 * cosine),
          random,
          200,
        )
      : null,
    recall: similarity ? recallBothWays(similarity, random) : null,
    shift_curve: curve ?? null,
    centered: {
      centroid_gap: lengthOf(gapVector(ca, cb)),
      relative_modality_gap: paired ? relativeModalityGap(ca, cb, pairCosines(ca, cb)) : null,
      recall: paired
        ? recallBothWays(similarities(ca.values, cb.values, a.dimensions), random)
        : null,
    },
    held_out:
      rowCount(tailA) < 2 || rowCount(tailB) < 2
        ? null
        : heldOut(headA, tailA, headB, tailB, paired),
    projection: projectGap(a, b),
  };
}

function checkSides({ a, b, paired }: GapRequest): { a: Rows; b: Rows } {
  const fail = (param: string, message: string): never => {
    throw new AppError("invalid_input", message, { param });
  };
  const [nameA, nameB] = [a.name ?? "a.embeddings", b.name ?? "b.embeddings"];
  if (a.dimensions !== b.dimensions) {
    const message = `Expected ${a.dimensions} numbers for each row of "${nameB}", as "${nameA}" has, but received ${b.dimensions}`;
    fail(nameB, message);
  }
  for (const [name, { values, dimensions }] of [
    [nameA, a],
    [nameB, b],
  ] as const) {
    const n = values.length / dimensions;
    if (n < 4) fail(name, `Expected at least 4 rows for "${name}" but received ${n}`);
    for (let i = 0; i < n; i++) {
      let square = 0;
      for (let d = 0; d < dimensions; d++) square += values[i * dimensions + d] ** 2;
      const param = `${name}[${i}]`;
      if (!Number.isFinite(square)) fail(param, `"${param}" holds a number that is not finite`);
      if (square === 0) fail(param, `"${param}" is all zeros: it has no direction`);
      const scale = 1 / Math.sqrt(square);
      for (let d = 0; d < dimensions; d++) values[i * dimensions + d] *= scale;
    }
  }
  if (paired && rowCount(a) !== rowCount(b)) {
    const message = `Pairs need as many rows in "${nameB}" as in "${nameA}": ${rowCount(a)}, not ${rowCount(b)}`;
    fail(nameB, message);
  }
  return { a, b };
}

/** The same rows of both sides when they are pairs; rows keep their order. */
function sample(a: Rows, b: Rows, paired: boolean, random: Random): { a: Rows; b: Rows } {
  const choose = (n: number) =>
    n <= sampledRows ? undefined : random.permutation(n).slice(0, sampledRows).sort();
  const take = (rows: Rows, positions: Uint32Array | undefined): Rows => {
    if (positions === undefined) return rows;
    const { dimensions } = rows;
    const values = new Float32Array(positions.length * dimensions);
    for (const [i, at] of positions.entries()) {
      values.set(rows.values.subarray(at * dimensions, (at + 1) * dimensions), i * dimensions);
    }
    return { values, dimensions };
  };
  const positions = choose(rowCount(a));
  return { a: take(a, positions), b: take(b, paired ? positions : choose(rowCount(b))) };
}

function halves({ values, dimensions }: Rows): [Rows, Rows] {
  const middle = Math.floor(values.length / dimensions / 2) * dimensions;
  return [
    { values: values.subarray(0, middle), dimensions },
    { values: values.subarray(middle), dimensions },
  ];
}

function recallOf(all: Float64Array, random?: Random): Recall {
  const recall: Recall = {
    at_1: recallAtK(all, 1),
    at_5: recallAtK(all, 5),
    at_10: recallAtK(all, 10),
    median_rank: medianRank(all),
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

function recallBothWays(similarity: Float32Array, random?: Random): BothWays<Recall> {
  const n = Math.sqrt(similarity.length);
  return {
    a_to_b: recallOf(ranks(similarity, n), random),
    b_to_a: recallOf(ranks(transposed(similarity, n), n), random),
  };
}

function shiftCurve(a: Rows, b: Rows, similarity: Float32Array) {
  const n = rowCount(a);
  const shift = shifter(a, b, gapVector(a, b), similarity);
  return deltas.map((delta) => {
    const moved = shift(delta);
    const losses = {
      "0.01": infoNceOf(moved.similarity, 0.01),
      "0.1": infoNceOf(moved.similarity, 0.1),
      "1": infoNceOf(moved.similarity, 1),
    };
    return {
      delta,
      distance: moved.distance,
      a_to_b_at_1: recallAtK(ranks(moved.similarity, n), 1),
      b_to_a_at_1: recallAtK(ranks(transposed(moved.similarity, n), n), 1),
      loss: losses["0.01"],
      losses,
    };
  });
}

function heldOut(
  headA: Rows,
  tailA: Rows,
  headB: Rows,
  tailB: Rows,
  paired: boolean,
): GapReport["held_out"] {
  const { dimensions } = tailA;
  const [meanA, meanB] = [centroid(headA), centroid(headB)];
  const ca = centered(tailA, meanA);
  const cb = centered(tailB, meanB);
  const recallOfPairs = (a: Rows, b: Rows) =>
    paired ? recallBothWays(similarities(a.values, b.values, dimensions)) : null;
  const mixed = (a: Rows, b: Rows, strangers: Rows) => {
    const corpus = new Float32Array(a.values.length + strangers.values.length);
    corpus.set(a.values);
    corpus.set(strangers.values, a.values.length);
    const found = ranks(similarities(b.values, corpus, dimensions), rowCount(b));
    return { at_10: recallAtK(found, 10), mean_reciprocal_rank: meanReciprocalRank(found) };
  };
  return {
    centroid_gap: lengthOf(gapVector(tailA, tailB)),
    recall: recallOfPairs(tailA, tailB),
    centered: { centroid_gap: lengthOf(gapVector(ca, cb)), recall: recallOfPairs(ca, cb) },
    mixed_corpus: paired
      ? { before: mixed(tailA, tailB, headB), centered: mixed(ca, cb, centered(headB, meanB)) }
      : null,
  };
}
