import { readFile, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { sniffModality } from "../media/sniff.js";
import { readHead } from "./file-item.js";
import { parseCsv } from "./read-csv.js";
import { CommandError } from "./target.js";
import { fileError, refusedFile, walkFiles } from "./walk-files.js";

/** A picture or sound with its label and other facts. */
export interface LabelledFile {
  path: string;
  /** The folder that it has to be in when it is read, as `openRegular` takes it. */
  within?: readonly string[];
  /** Its name in reports: the path below the folder, or as in the CSV. */
  id: string;
  /** Undefined for an empty CSV cell: none of the labels applies. */
  label: string | undefined;
  /** Files of one group are related, for example clips of one recording. */
  group?: string;
  /** From the CSV column `split`. */
  split?: string;
}

const wrong = (message: string) => new CommandError(message, { code: "invalid_input" });

/**
 * A folder with a folder for each label, at any depth below it, or a CSV with the columns `file`
 * and `label`, and optionally `group` and `split`, with paths relative to the CSV.
 *
 * @param groupBy  a pattern whose first group, or whole match, in a file's id is its group; a file
 *   without a match is its own group.
 */
export async function readLabelledFiles(
  source: string,
  { groupBy, followLinks }: { groupBy?: RegExp; followLinks?: boolean } = {},
): Promise<LabelledFile[]> {
  const found = await stat(source).catch((error: Error) => {
    throw wrong(`${source}: ${fileError(error)}`);
  });
  const files = found.isDirectory() ? await inFolders(source, followLinks) : await inCsv(source);
  if (files.length === 0) {
    const expected = "a folder for each label with pictures or sounds in it";
    throw wrong(`${source} has no labelled files: expected ${expected}`);
  }
  if (groupBy === undefined) return files;
  return files.map((file) => {
    const match = groupBy.exec(file.id);
    return match === null ? file : { ...file, group: match[1] ?? match[0] };
  });
}

/** What `--group-by` says of files. */
export function patternOf(text: string): RegExp {
  try {
    return new RegExp(text);
  } catch {
    throw wrong(`--group-by: expected a regular expression but received "${text}"`);
  }
}

async function inFolders(folder: string, followLinks?: boolean): Promise<LabelledFile[]> {
  const files: LabelledFile[] = [];
  for await (const file of walkFiles(folder, { recursive: true, followLinks })) {
    const { path, name, within } = file;
    // Also beside the labels' folders: what cannot be read may be one of them
    const why = refusedFile(file);
    if (why !== undefined) throw wrong(`${path}: ${why}`);
    const end = name.indexOf("/");
    if (end < 0) continue; // not in a label's folder: it has no label
    // Other files, such as notes, are skipped
    const head = await readHead(path, { within }).catch((error: Error) => {
      throw wrong(`${path}: ${fileError(error)}`);
    });
    if (sniffModality(head) !== undefined)
      files.push({ path, within, id: name, label: name.slice(0, end) });
  }
  return files;
}

async function inCsv(source: string): Promise<LabelledFile[]> {
  const rows = parseCsv(await readFile(source, "utf8"), source);
  const folder = dirname(resolve(source));
  for (const column of ["file", "label"])
    if (rows.length > 0 && !(column in rows[0]))
      throw wrong(`${source} has no column "${column}"; it has ${Object.keys(rows[0]).join(", ")}`);
  return rows.map(({ file, label, group, split }) => ({
    path: resolve(folder, file),
    id: file,
    label: label === "" ? undefined : label,
    ...(group !== undefined && group !== "" && { group }),
    ...(split !== undefined && split !== "" && { split }),
  }));
}
