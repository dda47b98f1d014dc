import { concat, cosines, meanRow, type Rows, rowCount } from "../math/rows.js";
import { norm } from "../math/vector.js";
import { centered, gapVector } from "./gap.js";
import { type BothWays, type Recall, recallBothWays } from "./gap-recall.js";
import { type IsRight, meanReciprocalRank, ranks, recallAtK } from "./recall.js";

/**
 * The effect of centring on held-out items. Figures that need pairs are null without them.
 */
export interface HeldOutGap {
  centroid_gap: number;
  recall: BothWays<Recall> | null;
  centered: { centroid_gap: number; recall: BothWays<Recall> | null };
  /**
   * A b-query must find its a among the a of its half and as many items of its own modality.
   */
  mixed_corpus: Record<
    "before" | "centered",
    { at_10: number; mean_reciprocal_rank: number }
  > | null;
}

/** Two modalities; of pairs, row i of `a` belongs to row i of `b`. */
export interface Sides {
  a: Rows;
  b: Rows;
}

/**
 * @param fit      the half that the means come from; `test` is measured.
 * @param isRight  which rows of `test` belong together; undefined when there are no pairs, or too
 *   few different ones.
 */
export function heldOutGap(fit: Sides, test: Sides, isRight: IsRight | undefined): HeldOutGap {
  const [meanA, meanB] = [meanRow(fit.a), meanRow(fit.b)];
  const moved = { a: centered(test.a, meanA), b: centered(test.b, meanB) };
  const recall = ({ a, b }: Sides) => (isRight ? recallBothWays(cosines(a, b), isRight) : null);
  const gap = ({ a, b }: Sides) => norm(gapVector(a, b));
  const mixed = ({ a, b }: Sides, strangers: Rows, isRight: IsRight) => {
    const count = rowCount(a);
    const isPartner: IsRight = (i, j) => j < count && isRight(i, j);
    const found = ranks(cosines(b, concat([a, strangers])), rowCount(b), isPartner);
    return { at_10: recallAtK(found, 10), mean_reciprocal_rank: meanReciprocalRank(found) };
  };
  return {
    centroid_gap: gap(test),
    recall: recall(test),
    centered: { centroid_gap: gap(moved), recall: recall(moved) },
    mixed_corpus: isRight
      ? {
          before: mixed(test, fit.b, isRight),
          centered: mixed(moved, centered(fit.b, meanB), isRight),
        }
      : null,
  };
}
