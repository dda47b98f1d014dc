import { applyHead, type ProjectionHead } from "../encoders/head.js";
import { AppError, invalidInput } from "../errors.js";
import { seededRandom } from "../math/random.js";
import { cosines, type Rows, rowAt, rowCount, rowsOf, vectorsOf } from "../math/rows.js";
import { bootstrapMean, type Interval, mean } from "../math/statistics.js";
import { type Cancellation, throwIfCancelled } from "./cancellation.js";
import { softRetrieve } from "./text-pivot.js";

/** Rows with a label each. */
export interface LabelledRows {
  rows: Rows;
  labels: readonly string[];
}

/**
 * Share of queries with an item of their own label among the first k, with 95 % bootstrap
 * intervals.
 */
export type CrossRecall = Record<
  "at_1" | "at_5" | "at_10",
  { recall: number; interval: Interval; chance: number }
>;

/**
 * How well queries of one modality, already in the space of the items, find items of their label.
 * `chance` is what a random order finds: 1 - C(N - n, k) / C(N, k) for n items of the label among
 * N. Queries whose label no item has are skipped.
 */
export function crossRecall(
  queries: LabelledRows,
  items: LabelledRows,
  signal?: Cancellation,
): CrossRecall {
  const answerable = queries.labels.flatMap((label, i) =>
    items.labels.includes(label) ? [i] : [],
  );
  if (answerable.length === 0) throw new RangeError("No query has a label that an item has");
  const n = rowCount(items.rows);
  const { dimensions } = queries.rows;
  const firstHit = answerable.map((i) => {
    throwIfCancelled(signal);
    const similarity = cosines({ values: rowAt(queries.rows, i), dimensions }, items.rows);
    let best = Number.NEGATIVE_INFINITY;
    for (let j = 0; j < n; j++)
      if (items.labels[j] === queries.labels[i]) best = Math.max(best, similarity[j]);
    let before = 0;
    for (let j = 0; j < n; j++)
      if (items.labels[j] !== queries.labels[i] && similarity[j] >= best) before++;
    return before + 1;
  });
  const random = seededRandom(1);
  const at = (k: number) => {
    const hits = firstHit.map((rank) => (rank <= k ? 1 : 0));
    const chances = answerable.map((i) => {
      const relevant = items.labels.filter((label) => label === queries.labels[i]).length;
      let miss = 1;
      for (let step = 0; step < Math.min(k, n); step++)
        miss *= Math.max(0, n - relevant - step) / (n - step);
      return 1 - miss;
    });
    return { recall: mean(hits), interval: bootstrapMean(hits, random), chance: mean(chances) };
  };
  return { at_1: at(1), at_5: at(5), at_10: at(10) };
}

export interface BridgeMeasurement {
  head: ProjectionHead;
  /** Labelled queries before the bridge, and labelled items of the space it leads to. */
  queries: LabelledRows;
  items: LabelledRows;
  textsFrom: Rows;
  textsTo: Rows;
}

/** Recall across a bridge, compared with the untrained text pivot. */
export function measureBridge(
  measurement: BridgeMeasurement,
  signal?: Cancellation,
): Record<"bridge" | "text_pivot", CrossRecall> {
  const { head, queries, items, textsFrom, textsTo } = measurement;
  const rows = rowsOf(crossed(head, queries.rows));
  const pivot = softRetrieve(queries.rows, textsFrom, textsTo, { topK: 20, signal });
  return {
    bridge: crossRecall({ rows, labels: queries.labels }, items, signal),
    text_pivot: crossRecall({ rows: pivot, labels: queries.labels }, items, signal),
  };
}

/**
 * @throws AppError `invalid_input` for queries equal to the mean of its memory, which the bridge
 *   subtracts.
 */
function crossed(head: ProjectionHead, queries: Rows) {
  try {
    return applyHead(head, vectorsOf(queries));
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== "inference_failed") throw error;
    const why = "The collection's items all have the same embedding: none differs from the mean";
    throw invalidInput("from_collection", why, error);
  }
}
