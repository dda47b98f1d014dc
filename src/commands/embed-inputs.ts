import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { BadFile, type LeftOut, readFileItem } from "./file-item.js";
import { LeftOutCounts } from "./left-out.js";
import { type MediaModality, readMediaFile } from "./media-input.js";
import { CommandError } from "./target.js";
import { type FoundFile, fileError, walkFiles } from "./walk-files.js";

/** A text, or a picture or sound that is read when its turn comes. */
export type EmbedInput = { name: string } & (
  | { text: string }
  | {
      /** Its path in the folder that was named. */
      relative: string;
      /** The folder that it has to be in when it is read, as `openRegular` takes it. */
      within?: readonly string[];
      read: () => Promise<{ modality: MediaModality; base64: string }>;
    }
);

export interface InputFlags {
  text?: string[];
  /** A file with a text a line. */
  texts?: string;
  /** A file with a path a line. */
  list?: string;
  recursive?: boolean;
  followLinks?: boolean;
}

/**
 * What is to be embedded, in order: texts, then files, then what a list names. `leftOut` names what
 * is skipped in folders.
 * @param modalities  what is taken from folders.
 */
export async function embedInputs(
  paths: readonly string[],
  { text = [], texts, list, recursive = false, followLinks }: InputFlags,
  modalities: readonly string[] | undefined,
): Promise<{ inputs: EmbedInput[]; leftOut: string | undefined }> {
  const lines = texts === undefined ? [] : await linesOf(texts);
  const inputs: EmbedInput[] = [...text, ...lines].map((one) => ({ name: one, text: one }));
  const leftOut = new LeftOutCounts();
  const listed = list === undefined ? [] : await linesOf(list);
  const fromList = listed.map((path) => resolve(dirname(list!), path));
  for (const path of [...paths, ...fromList]) {
    if (path === "-") inputs.push({ name: path, relative: path, read: () => readMediaFile(path) });
    else
      for await (const file of walkFiles(path, { recursive, followLinks, eachOnce: true })) {
        const why = file.named ? undefined : await whyLeftOut(file, modalities);
        if (why === undefined)
          inputs.push({
            name: file.path,
            relative: file.name,
            within: file.within,
            read: () => readMediaFile(file.path, { within: file.within }),
          });
        else leftOut.add(why);
      }
  }
  return { inputs, leftOut: leftOut.text() };
}

/** As `add` leaves files out. A file that cannot be read is not: it fails in its turn. */
async function whyLeftOut(
  file: FoundFile,
  modalities: readonly string[] | undefined,
): Promise<LeftOut | undefined> {
  const options = { metadata: undefined, sidecars: false, maxBytes: 0, modalities };
  const item = await readFileItem(file, {
    ...options,
    whyNotOthers: "the model does not embed them",
  }).catch((error) => {
    if (error instanceof BadFile) return undefined;
    throw error;
  });
  return item !== undefined && "what" in item ? item : undefined;
}

/** Every line is a row of what is written: none may be empty. */
async function linesOf(path: string): Promise<string[]> {
  const text = await readFile(path, "utf8").catch((error: Error) => {
    throw new CommandError(`${path}: ${fileError(error)}`, { code: "invalid_input" });
  });
  const lines = text
    .replace(/^\ufeff/, "")
    .replace(/(\r?\n)+$/, "")
    .split(/\r?\n/);
  const empty = lines.findIndex((line) => line.trim() === "");
  if (empty >= 0)
    throw new CommandError(`${path}, line ${empty + 1} is empty`, { code: "invalid_input" });
  return lines;
}
