import { meanReciprocalRank, ranks, recallAtK, transposed } from "../training/recall.js";

interface RetrievalFigures {
  at_1: number;
  at_5: number;
  at_10: number;
  mean_reciprocal_rank: number;
}

/** An item's label among the labels, and a label's first item among the items, by score. */
export interface Retrieval {
  item_to_label: RetrievalFigures;
  label_to_item: RetrievalFigures;
}

/** A tie counts as a miss. Labels without items are not queries. */
export function retrievalOf(
  items: readonly { label: number; scores: readonly number[] }[],
  labels: number,
): Retrieval {
  const scores = Float32Array.from(items.flatMap((item) => item.scores));
  const isRight = (item: number, label: number) => items[item].label === label;
  const ofItems = ranks(scores, items.length, isRight);
  const ofLabels = ranks(transposed(scores, items.length), labels, (label, item) =>
    isRight(item, label),
  );
  return {
    item_to_label: figuresOf(ofItems),
    label_to_item: figuresOf(ofLabels.filter(Number.isFinite)),
  };
}

const figuresOf = (found: Float64Array): RetrievalFigures => ({
  at_1: recallAtK(found, 1),
  at_5: recallAtK(found, 5),
  at_10: recallAtK(found, 10),
  mean_reciprocal_rank: meanReciprocalRank(found),
});
