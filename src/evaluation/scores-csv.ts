import { csvLine } from "../files/csv-line.js";
import type { ScoredItem } from "./evaluate.js";

/** One row per item: id, label, group, known, familiarity, and the score of every label. */
export function scoresCsv(labels: readonly string[], items: readonly ScoredItem[]): string {
  const head = ["id", "label", "group", "known", "familiarity", ...labels];
  const rows = items.map(({ id, label, group, known, familiarity, scores }) => [
    id,
    label === undefined ? "" : labels[label],
    group,
    known,
    familiarity,
    ...scores,
  ]);
  return [head, ...rows].map(csvLine).join("");
}
