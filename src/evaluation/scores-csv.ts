import type { ScoredItem } from "./evaluate.js";

/** A cell, quoted where it has to be (RFC 4180). */
const cell = (value: string | number | boolean | undefined) => {
  const text = value === undefined ? "" : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};

/** A row an item: id, label, group, known, familiarity, and the score of every label. */
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
  return [head, ...rows].map((row) => `${row.map(cell).join(",")}\n`).join("");
}
