import { seededRandom } from "../math/random.js";
import { rowAt, take } from "../math/rows.js";
import { bootstrapMean, type Interval, mean } from "../math/statistics.js";
import { type Cancellation, throwIfCancelled } from "./cancellation.js";
import { cacheLogits, type FewShotTask, fitFewShot, linearProbeLogits } from "./few-shot.js";

/** Accuracy of this kind of adapter on items it was not made from. */
export interface HeldOutAccuracy {
  /** Share of items whose label came out first; ties count as wrong. */
  accuracy: number;
  /** 95 %, bootstrap over items. */
  interval: Interval;
  /** Evaluated items: those whose label other items have too. */
  items: number;
  folds: number;
}

const maxFolds = 10;

/**
 * Cross-validation: items are dealt to folds, label by label, and each fold is classified by an
 * adapter of the others. Up to ten items it is leave-one-out.
 *
 * @returns undefined when every label has a single item.
 */
export function fewShotAccuracy(
  task: FewShotTask,
  signal?: Cancellation,
): HeldOutAccuracy | undefined {
  const { items } = task;
  const { labels } = items;
  const members = new Int32Array(items.classes);
  for (const label of labels) members[label]++;
  const order = [...seededRandom(1).permutation(labels.length)].sort(
    (i, j) => labels[i] - labels[j],
  );
  const folds = Math.min(maxFolds, labels.length);
  const hits: number[] = [];
  for (let fold = 0; fold < folds; fold++) {
    throwIfCancelled(signal);
    const isAsked = (place: number) => place % folds === fold;
    const kept = order.filter((_, place) => !isAsked(place));
    const asked = order.filter((i, place) => isAsked(place) && members[labels[i]] > 1);
    if (asked.length === 0 || kept.length === 0) continue;
    const some = {
      ...items,
      ...take(items, kept),
      labels: Int32Array.from(kept, (i) => labels[i]),
    };
    const adapter = fitFewShot({ ...task, items: some }, signal);
    for (const i of asked) {
      const logits =
        adapter.kind === "probe"
          ? linearProbeLogits(adapter, rowAt(items, i))
          : cacheLogits(
              adapter,
              (task as Extract<FewShotTask, { kind: "cache" }>).texts,
              rowAt(items, i),
            );
      hits.push(+logits.every((logit, c) => c === labels[i] || logit < logits[labels[i]]));
    }
  }
  if (hits.length === 0) return undefined;
  const interval = bootstrapMean(hits, seededRandom(1));
  return { accuracy: mean(hits), interval, items: hits.length, folds };
}
