import { CommandError } from "./target.js";

/**
 * Rows of a CSV file by the names in its first line (RFC 4180: quoted cells may hold commas, quotes
 * and line ends).
 * @throws CommandError for a row with more or fewer cells than the first line, or an open quote.
 */
export function parseCsv(text: string, path: string): Record<string, string>[] {
  const rows: { cells: string[]; line: number }[] = [];
  const pattern = /("(?:[^"]|"")*"|[^",\r\n]*)(,|\r?\n|$)/y;
  const content = text.replace(/^\ufeff/, "").replace(/(\r?\n)+$/, "");
  let cells: string[] = [];
  let line = 1;
  let start = 1;
  while (pattern.lastIndex <= content.length) {
    const found = pattern.exec(content);
    if (found === null)
      throw wrong(path, line, "a quote is not closed, or is in the middle of a cell");
    const [, raw, end] = found;
    cells.push(raw.startsWith('"') ? raw.slice(1, -1).replaceAll('""', '"') : raw);
    line += raw.split("\n").length - 1;
    if (end === ",") continue;
    rows.push({ cells, line: start });
    cells = [];
    start = ++line;
    if (end === "") break;
  }
  const [head, ...body] = rows;
  return body
    .filter(({ cells }) => cells.length > 1 || cells[0] !== "")
    .map(({ cells, line }) => {
      if (cells.length !== head.cells.length)
        throw wrong(path, line, `expected ${head.cells.length} cells but found ${cells.length}`);
      return Object.fromEntries(head.cells.map((name, i) => [name.trim(), cells[i]]));
    });
}

const wrong = (path: string, line: number, why: string) =>
  new CommandError(`${path}, line ${line}: ${why}`, { code: "invalid_input" });
