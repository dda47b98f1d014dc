import stringWidth from "string-width";

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
    cells.reduce((widest, row) => Math.max(widest, stringWidth(row[i])), 0),
  );
  return cells.map((row) => {
    const line = row
      .map((cell, i) => {
        const space = " ".repeat(widths[i] - stringWidth(cell));
        return right[i] ? space + cell : cell + space;
      })
      .join("  ")
      .trimEnd();
    return columns === undefined ? line : cutTo(line, columns);
  });
}

/** The beginning of a line that fits a terminal: some characters take two cells of it, or none. */
export function cutTo(line: string, columns: number): string {
  if (stringWidth(line) <= columns) return line;
  let cut = "";
  let width = 0;
  for (const { segment } of new Intl.Segmenter().segment(line)) {
    width += stringWidth(segment);
    if (width > columns - 1) break;
    cut += segment;
  }
  return `${cut}…`;
}

/**
 * Ids and metadata come from strangers: control characters and bidirectional marks would corrupt
 * the terminal.
 */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu, "\ufffd");
}
