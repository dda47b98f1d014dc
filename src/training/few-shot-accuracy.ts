import { seededRandom } from "../math/random.js";
import { rowAt, take } from "../math/rows.js";
import { bootstrap, type Interval, mean } from "../math/statistics.js";
import { type Cancellation, throwIfCancelled } from "./cancellation.js";
import { cacheLogits, type FewShotTask, fitFewShot, linearProbeLogits } from "./few-shot.js";

/** Accuracy of this kind of adapter on items it was not made from. */
export interface HeldOutAccuracy {
  /** Share of items whose label came out first; ties count as wrong. */
  accuracy: number;
  /** 95 %, bootstrap over groups of items. */
  interval: Interval;
  /** Evaluated items: those whose label other items have too. */
  items: number;
  folds: number;
}

const maxFolds = 10;

/**
 * Cross-validation: items are dealt to folds, label by label and whole groups at a time, and each
 * fold is classified by an adapter of the others. Up to ten groups it leaves one out at a time.
 *
 * @returns undefined when no fold has a label that the others have too.
 */
export function fewShotAccuracy(
  task: FewShotTask,
  signal?: Cancellation,
): HeldOutAccuracy | undefined {
  const { items } = task;
  const { labels } = items;
  const order = [...seededRandom(1).permutation(labels.length)].sort(
    (i, j) => labels[i] - labels[j],
  );
  const groupOf = (i: number) => task.groups?.[i] ?? String(i);
  const places = new Map<string, number>();
  for (const i of order) if (!places.has(groupOf(i))) places.set(groupOf(i), places.size);
  const folds = Math.min(maxFolds, places.size);
  const foldOf = (i: number) => places.get(groupOf(i))! % folds;
  const hits = new Map<string, number[]>();
  for (let fold = 0; fold < folds; fold++) {
    throwIfCancelled(signal);
    const kept = order.filter((i) => foldOf(i) !== fold);
    const keptLabels = new Set(kept.map((i) => labels[i]));
    const tested = order.filter((i) => foldOf(i) === fold && keptLabels.has(labels[i]));
    if (tested.length === 0 || kept.length === 0) continue;
    const some = {
      ...items,
      ...take(items, kept),
      labels: Int32Array.from(kept, (i) => labels[i]),
    };
    const adapter = fitFewShot({ ...task, items: some }, signal);
    for (const i of tested) {
      const logits =
        adapter.kind === "probe"
          ? linearProbeLogits(adapter, rowAt(items, i))
          : cacheLogits(
              adapter,
              (task as Extract<FewShotTask, { kind: "cache" }>).texts,
              rowAt(items, i),
            );
      const hit = +logits.every((logit, c) => c === labels[i] || logit < logits[labels[i]]);
      hits.set(groupOf(i), [...(hits.get(groupOf(i)) ?? []), hit]);
    }
  }
  if (hits.size === 0) return undefined;
  const ofGroups = [...hits.values()];
  const over = (groups: Uint32Array) => mean([...groups].flatMap((group) => ofGroups[group]));
  const interval = bootstrap(ofGroups.length, over, seededRandom(1));
  const all = ofGroups.flat();
  return { accuracy: mean(all), interval, items: all.length, folds };
}
