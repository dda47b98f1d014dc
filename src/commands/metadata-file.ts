import { readFile } from "node:fs/promises";
import { basename, dirname, resolve } from "node:path";
import { counted } from "./counted.js";
import { isObject } from "./options.js";
import { parseCsv } from "./read-csv.js";
import { CommandError } from "./target.js";
import { fileError } from "./walk-files.js";

/** Decimal digits that a number always keeps. */
const maxDigits = 15;

type Metadata = Record<string, unknown>;

/** Metadata of many files, from a table. */
export interface MetadataFile {
  /** @param path  absolute. */
  of(path: string): Metadata | undefined;
  /** What did not match: rows that no file used, and files without a row. */
  notes(): string[];
}

/**
 * A CSV with the column `file`, or a JSON object a line with `file`; the other columns or keys are
 * metadata. Paths are relative to the table. A column of a CSV holds numbers when every cell is a
 * plain decimal (`12`, `5.00`, not `007`, and no more digits than a number keeps); an empty cell
 * gives nothing.
 * @throws CommandError `invalid_input` naming the line.
 */
export async function readMetadataFile(path: string): Promise<MetadataFile> {
  const text = await readFile(path, "utf8").catch((error: Error) => {
    throw wrong(`${path}: ${fileError(error)}`);
  });
  const rows = /\.(jsonl|ndjson)$/i.test(path) ? jsonRows(text, path) : csvRows(text, path);
  if (rows.length === 0) throw wrong(`${path} has no rows`);
  const folder = dirname(resolve(path));
  const byPath = new Map<string, { file: string; metadata: Metadata; used: boolean }>();
  for (const { file, ...metadata } of rows) {
    if (typeof file !== "string" || file === "")
      throw wrong(`${path}: expected a path in "file" of every row`);
    const key = resolve(folder, file);
    if (byPath.has(key)) throw wrong(`${path} names "${file}" twice`);
    byPath.set(key, { file, metadata, used: false });
  }
  const name = basename(path);
  let without = 0;
  return {
    of(file) {
      const row = byPath.get(file);
      if (row === undefined) without++;
      else row.used = true;
      return row?.metadata;
    },
    notes() {
      const unused = [...byPath.values()].filter(({ used }) => !used).map(({ file }) => file);
      const named = unused.slice(0, 3).join(", ");
      const others = unused.length > 3 ? `, and ${unused.length - 3} more` : "";
      return [
        ...(unused.length > 0
          ? [`${counted(unused.length, "row")} of ${name} not used: ${named}${others}`]
          : []),
        ...(without > 0 ? [`${counted(without, "file")} without a row in ${name}`] : []),
      ];
    },
  };
}

function csvRows(text: string, path: string): Metadata[] {
  const rows = parseCsv(text, path);
  if (rows.length === 0) return [];
  const columns = Object.keys(rows[0]);
  if (!columns.includes("file"))
    throw wrong(`${path} has no column "file"; it has ${columns.join(", ")}`);
  if (columns.includes("")) throw wrong(`${path} has a column without a name`);
  const isNumber = (cell: string) =>
    cell === "" ||
    (/^-?(0|[1-9]\d*)(\.\d+)?$/.test(cell) && cell.replace(/\D/g, "").length <= maxDigits);
  const numeric = new Set(
    columns.filter((column) => column !== "file" && rows.every((row) => isNumber(row[column]))),
  );
  return rows.map((row) =>
    Object.fromEntries(
      Object.entries(row)
        .filter(([, cell]) => cell !== "")
        .map(([column, cell]) => [column, numeric.has(column) ? Number(cell) : cell]),
    ),
  );
}

function jsonRows(text: string, path: string): Metadata[] {
  return text.split("\n").flatMap((line, i) => {
    if (line.trim() === "") return [];
    try {
      const row: unknown = JSON.parse(line);
      if (isObject(row)) return [row];
    } catch {
      // told below
    }
    throw wrong(`${path}, line ${i + 1}: expected a JSON object`);
  });
}

const wrong = (message: string) => new CommandError(message, { code: "invalid_input" });
