import { invalidInput } from "../errors.js";
import { contentOrder } from "../math/content-order.js";
import { equalRows, groupCount } from "../math/equal-rows.js";
import { seededRandom } from "../math/random.js";
import {
  cosines,
  meanRow,
  type Rows,
  rowCount,
  rowRange,
  squaredDistances,
  take,
  unitRows,
} from "../math/rows.js";
import { bootstrapMean, type Interval, mean } from "../math/statistics.js";
import { norm } from "../math/vector.js";
import {
  centered,
  centroidSeparability,
  gapDimensions,
  gapVector,
  meanCosine,
  relativeModalityGap,
} from "./gap.js";
import { type Projection, projectGap } from "./gap-projection.js";
import { type BothWays, type Recall, recallBothWays } from "./gap-recall.js";
import { infoNceOf, shifter } from "./gap-similarities.js";
import { type HeldOutGap, heldOutGap, type Sides } from "./held-out-gap.js";
import { hubs, type PairCosines, pairCosines, type ReportedHubs } from "./pair-cosines.js";
import { type IsRight, ranks, recallAtK, transposed } from "./recall.js";
import { pairKernel, uniformity } from "./uniformity.js";

export interface GapRequest {
  /**
   * Rows of any length but zero; they are brought to unit length. `name` is their name in errors,
   * by default `a.embeddings`.
   */
  a: Rows & { modality: string; name?: string };
  b: Rows & { modality: string; name?: string };
  /** Row i of `a` belongs to row i of `b`. */
  paired: boolean;
  /**
   * Draws the sample, its halves and the bootstrap; the order of the rows does not matter. Default
   * 1.
   */
  seed?: number;
}

/**
 * The report on the wire. Figures that need pairs are null without them; retrieval figures also
 * when a side is one repeated row.
 */
export interface GapReport {
  modalities: { a: string; b: string };
  items: { a: number; b: number };
  dimensions: number;
  paired: boolean;
  /** Rows that recall, uniformity and the shift curve were measured on; all of them up to 2,000. */
  sample: { a: number; b: number };
  /** Different rows of the sample. Pairs that share a row count as right answers. */
  distinct: { a: number; b: number };
  centroid_gap: number;
  mean_cosine: { a: number; b: number };
  uniformity: { a: number; b: number };
  linear_separability: { centroids: number; held_out: number };
  gap_dimensions: { dimension: number; share: number }[];
  /**
   * Shares of the squared gap that the 1, 2, 5, 10 and 20 strongest dimensions account for
   * together.
   */
  gap_share: Record<string, number>;
  relative_modality_gap: number | null;
  alignment: number | null;
  alignment_interval: Interval | null;
  recall: BothWays<Recall> | null;
  pair_cosines: PairCosines | null;
  hubs: BothWays<ReportedHubs> | null;
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
  /** Means from one half of the sample, measured on the other half. */
  held_out: HeldOutGap | null;
  projection: Projection;
}

/** Rows whose pairwise similarities are computed: 2,000 squared is 16 MB and about a second. */
const sampledRows = 2000;
const deltas = [-1, -0.75, -0.5, -0.25, 0, 0.25, 0.5, 0.75, 1];

/**
 * Computes the gap report. The order of rows changes no figure; the points of the projection are in
 * that order.
 * @throws AppError `invalid_input` naming the row: not finite, or without direction.
 */
export function measureGap(request: GapRequest, onProgress?: (share: number) => void): GapReport {
  const { paired, seed = 1 } = request;
  const random = seededRandom(seed);
  const sides = checkSides(request);
  const { a, b } = sides;
  const order = paired
    ? bothSides(contentOrder([a, b], seed))
    : { a: contentOrder([a], seed), b: contentOrder([b], seed) };
  const gap = gapVector(a, b);
  const ofPairs = paired ? squaredDistances(a, b) : undefined;
  const distances = ofPairs && Float64Array.from(order.a, (i) => ofPairs[i]);
  const dimensions = gapDimensions(gap);
  const shareOf = (count: number) =>
    Math.min(
      1,
      dimensions.slice(0, count).reduce((sum, { share }) => sum + share, 0),
    );
  onProgress?.(0.1);

  const few = {
    a: take(a, order.a.subarray(0, sampledRows)),
    b: take(b, order.b.subarray(0, sampledRows)),
  };
  const groups = { a: equalRows(few.a), b: equalRows(few.b) };
  const distinct = { a: groupCount(groups.a), b: groupCount(groups.b) };
  const isRight = paired && distinct.a > 1 && distinct.b > 1 ? sharesRow(groups) : undefined;
  const similarity = isRight && cosines(few.a, few.b);
  onProgress?.(0.3);
  const ca = centered(few.a, meanRow(few.a));
  const cb = centered(few.b, meanRow(few.b));
  const both = { a: uniformity(pairKernel(few.a)), b: uniformity(pairKernel(few.b)) };
  onProgress?.(0.5);
  const curve = similarity && shiftCurve(few.a, few.b, similarity, isRight);
  onProgress?.(0.8);
  const [fit, test] = halves(few);
  return {
    modalities: { a: request.a.modality, b: request.b.modality },
    items: { a: rowCount(a), b: rowCount(b) },
    dimensions: a.dimensions,
    paired,
    sample: { a: rowCount(few.a), b: rowCount(few.b) },
    distinct,
    centroid_gap: norm(gap),
    mean_cosine: { a: meanCosine(a), b: meanCosine(b) },
    uniformity: both,
    linear_separability: {
      centroids: centroidSeparability(sides, sides),
      held_out: centroidSeparability(fit, test),
    },
    gap_dimensions: dimensions.slice(0, 20),
    gap_share: Object.fromEntries([1, 2, 5, 10, 20].map((count) => [count, shareOf(count)])),
    relative_modality_gap: paired ? relativeModalityGap(a, b) : null,
    alignment: distances ? mean(distances) : null,
    alignment_interval: distances ? bootstrapMean(distances, random, 200) : null,
    recall: similarity ? recallBothWays(similarity, isRight, random) : null,
    pair_cosines: similarity ? pairCosines(similarity) : null,
    hubs: similarity
      ? {
          a_to_b: hubs(similarity, order.b),
          b_to_a: hubs(transposed(similarity, rowCount(few.a)), order.a),
        }
      : null,
    shift_curve: curve ?? null,
    centered: {
      centroid_gap: norm(gapVector(ca, cb)),
      relative_modality_gap: paired ? relativeModalityGap(ca, cb) : null,
      recall: isRight ? recallBothWays(cosines(ca, cb), isRight, random) : null,
    },
    held_out:
      rowCount(test.a) < 2 || rowCount(test.b) < 2
        ? null
        : heldOutGap(
            fit,
            test,
            isRight && ((i, j) => isRight(i + rowCount(fit.a), j + rowCount(fit.a))),
          ),
    projection: projectGap(sides, few),
  };
}

/** Pairs i and j belong together if they share a row: one caption of two pictures. */
const sharesRow =
  ({ a, b }: { a: Int32Array; b: Int32Array }): IsRight =>
  (i, j) =>
    a[i] === a[j] || b[i] === b[j];

const bothSides = <T>(side: T) => ({ a: side, b: side });

function checkSides({ a, b, paired }: GapRequest): Sides {
  const [nameA, nameB] = [a.name ?? "a.embeddings", b.name ?? "b.embeddings"];
  if (a.dimensions !== b.dimensions) {
    const expected =
      `Expected ${a.dimensions} numbers for each row ` + `of "${nameB}", as "${nameA}" has`;
    throw invalidInput(nameB, `${expected}, but received ${b.dimensions}`);
  }
  const checked = (side: Rows, name: string) => {
    const n = rowCount(side);
    if (n < 4) throw invalidInput(name, `Expected at least 4 rows for "${name}" but received ${n}`);
    return unitRows(side, name, { paramOf: (row) => `${name}[${row}]` });
  };
  const sides = { a: checked(a, nameA), b: checked(b, nameB) };
  if (paired && rowCount(a) !== rowCount(b)) {
    const needed = `Pairs need as many rows in "${nameB}" as in "${nameA}"`;
    throw invalidInput(nameB, `${needed}: ${rowCount(a)}, not ${rowCount(b)}`);
  }
  return sides;
}

/** The first half of the rows, and the rest. */
function halves({ a, b }: Sides): [Sides, Sides] {
  const half = (rows: Rows) => Math.floor(rowCount(rows) / 2);
  const cut = (rows: Rows) =>
    [rowRange(rows, 0, half(rows)), rowRange(rows, half(rows), rowCount(rows))] as const;
  const [[fitA, testA], [fitB, testB]] = [cut(a), cut(b)];
  return [
    { a: fitA, b: fitB },
    { a: testA, b: testB },
  ];
}

function shiftCurve(a: Rows, b: Rows, similarity: Float32Array, isRight: IsRight) {
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
      a_to_b_at_1: recallAtK(ranks(moved.similarity, n, isRight), 1),
      b_to_a_at_1: recallAtK(ranks(transposed(moved.similarity, n), n, isRight), 1),
      loss: losses["0.01"],
      losses,
    };
  });
}
