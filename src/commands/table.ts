/**
 * Rows under their headings, columns aligned; columns of numbers to the right. On a terminal the
 * last column is cut to its width. `table(["id", "count"], [["photos", 3]])` is ["id      count",
 * "photos      3"].
 */
export function table(
  headings: readonly string[],
  rows: readonly (readonly (string | number)[])[],
  columns: number | undefined = process.stdout.isTTY ? process.stdout.columns : undefined,
): string[] {
  const right = headings.map(
    (_, i) => rows.length > 0 && rows.every((row) => typeof row[i] === "number"),
  );
  const cells = [headings, ...rows].map((row) => row.map((cell) => printable(String(cell))));
  const widths = headings.map((_, i) =>
    cells.reduce((most, row) => Math.max(most, row[i].length), 0),
  );
  return cells.map((row) => {
    const line = row
      .map((cell, i) => (right[i] ? cell.padStart(widths[i]) : cell.padEnd(widths[i])))
      .join("  ")
      .trimEnd();
    return columns !== undefined && line.length > columns ? `${line.slice(0, columns - 1)}…` : line;
  });
}

/**
 * Ids and metadata come from strangers: control characters and turns of the writing direction would
 * steer the terminal.
 */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu, "\ufffd");
}
