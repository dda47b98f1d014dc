/** The rows of a grid, with a row between the items that are about the query and the others. */
export interface Rows {
  count: number;
  /** The row that holds the line; undefined where there is none. */
  cutRow: number | undefined;
  /** First item of a row, and the one after its last. */
  itemsOf(row: number): readonly [from: number, to: number];
  rowOf(item: number): number;
  /** The item beside, above or below; the item itself at an end. */
  step(item: number, direction: Direction): number;
}

export type Direction = "left" | "right" | "up" | "down";

/** @param cut  the first item below the line. */
export function layRows(items: number, columns: number, cut: number | undefined): Rows {
  const above = cut === undefined ? 0 : Math.ceil(cut / columns);
  const cutRow = cut === undefined ? undefined : above;
  const firstBelow = cut ?? 0;
  const rowsBelow = Math.ceil((items - firstBelow) / columns);
  const count = cut === undefined ? rowsBelow : above + 1 + rowsBelow;
  const itemsOf = (row: number): readonly [number, number] => {
    if (cutRow === undefined || row > cutRow) {
      const from = firstBelow + (row - (cutRow === undefined ? 0 : cutRow + 1)) * columns;
      return [from, Math.min(items, from + columns)];
    }
    return row === cutRow ? [firstBelow, firstBelow] : [row * columns, rowEnd(row)];
  };
  const rowEnd = (row: number) => Math.min(firstBelow, (row + 1) * columns);
  const rowOf = (item: number) =>
    cutRow === undefined
      ? Math.floor(item / columns)
      : item < firstBelow
        ? Math.floor(item / columns)
        : cutRow + 1 + Math.floor((item - firstBelow) / columns);
  const step = (item: number, direction: Direction): number => {
    if (direction === "left") return Math.max(0, item - 1);
    if (direction === "right") return Math.min(items - 1, item + 1);
    const row = rowOf(item);
    const by = direction === "up" ? -1 : 1;
    const to = row + by === cutRow ? row + 2 * by : row + by;
    if (to < 0 || to >= count) return item;
    const [from, end] = itemsOf(to);
    return Math.min(end - 1, from + item - itemsOf(row)[0]);
  };
  return { count, cutRow, itemsOf, rowOf, step };
}
