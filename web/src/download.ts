import { csvLine } from "../../src/files/csv-line.js";

/** Offers a file as a download. */
export function download(name: string, blob: Blob): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/** A table as CSV. A text that a spreadsheet would run as a formula is quoted by '. */
export function csvOf(rows: readonly (readonly (string | number)[])[]): string {
  return rows.map((row) => csvLine(row.map(withoutFormula))).join("");
}

const withoutFormula = (cell: string | number) =>
  typeof cell === "string" && /^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell;
