import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { groupSplit } from "../training/group-split.js";
import { patternOf, readLabelledFiles } from "./labelled-files.js";
import { readMediaFile } from "./media-input.js";
import { isObject } from "./options.js";
import { CommandError } from "./target.js";

/** The training data of `train`, from its flags. */
export interface MaterialFlags {
  pairs?: string;
  a?: string;
  b?: string;
  modalities?: string[];
  labels?: string;
  third?: string;
  features?: string;
  probeA?: string;
  probeB?: string;
  collection?: string;
  by?: string;
  /** A folder for each label, or a CSV. */
  files?: string;
  groupBy?: string;
  followLinks?: boolean;
  seed?: number;
}

/** The fields of `POST /v1/heads` with the training data; arrays come as .npy files. */
export async function materialOf(
  flags: MaterialFlags,
  field: "pairs" | "items",
): Promise<Record<string, unknown>> {
  const fail = (message: string) => new CommandError(message, { code: "invalid_input" });
  const sources = [flags.pairs, flags.files, flags.a, flags.collection].filter(
    (one) => one !== undefined,
  );
  if (sources.length !== 1) {
    throw fail(
      "Expected one of --pairs FILE.jsonl, --files FOLDER or CSV, --a and --b FILE.npy, and " +
        "--collection NAME with --by FIELD",
    );
  }
  if (flags.collection !== undefined) {
    if (flags.by === undefined)
      throw fail("--collection needs --by FIELD: the field that pairs items");
    return { [field]: { collection: flags.collection, by: flags.by } };
  }
  if (flags.files !== undefined) return readFiles(flags.files, field, flags);
  if (flags.pairs !== undefined) return readPairs(flags.pairs, field);
  const read = async (path: string | undefined) => path && readBytes(path);
  const [a, b] = flags.modalities ?? [];
  return {
    a: await read(flags.a),
    b: await read(flags.b),
    third: await read(flags.third),
    features: await read(flags.features),
    probe_a: await read(flags.probeA),
    probe_b: await read(flags.probeB),
    labels: flags.labels && (await readLabels(flags.labels)),
    a_modality: a,
    b_modality: b,
  };
}

/**
 * A line a pair: `{"image": "cat.jpg", "text": "a cat", "label": "cat"}` with paths beside the
 * file, or `{"a": [numbers], "b": [numbers], "label"?}`.
 */
async function readPairs(path: string, field: "pairs" | "items"): Promise<Record<string, unknown>> {
  const lines = (await readBytes(path)).toString("utf8").split("\n");
  const numbered: { entry: Record<string, unknown>; line: number }[] = [];
  for (const [i, line] of lines.entries()) {
    if (line.trim() === "") continue;
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch {
      // told below
    }
    if (!isObject(value))
      throw new CommandError(`${path}, line ${i + 1}: expected a JSON object`, {
        code: "invalid_input",
      });
    numbered.push({ entry: value, line: i + 1 });
  }
  const entries = numbered.map(({ entry }) => entry);
  if (entries.length === 0)
    throw new CommandError(`${path} has no lines`, { code: "invalid_input" });
  if ("a" in entries[0]) {
    const labels = "label" in entries[0] ? { labels: entries.map(({ label }) => label) } : {};
    const [a, b] = [entries.map((entry) => entry.a), entries.map((entry) => entry.b)];
    return { [field]: { embeddings: field === "items" ? a : { a, b } }, ...labels };
  }
  const folder = dirname(resolve(path));
  for (const { entry, line } of numbered) {
    if (contents.every((name) => entry[name] === undefined))
      throw new CommandError(`${path}, line ${line}: expected ${contents.join(", ")} in it`, {
        code: "invalid_input",
      });
    entry.id ??= nameOf(entry, line);
    for (const modality of ["image", "audio"] as const) {
      const file = entry[modality];
      if (typeof file !== "string" || /^(data:|https?:)/.test(file)) continue;
      entry[modality] = (await readMediaFile(resolve(folder, file))).base64;
    }
    // After the paths, as its bytes are none
    if (typeof entry.file === "string") {
      const { modality, base64 } = await readMediaFile(resolve(folder, entry.file));
      entry[modality] = base64;
      delete entry.file;
    }
  }
  return { [field]: entries };
}

/** What a pair or an example is made of. */
const contents = ["image", "audio", "text", "file"];

/** `line 3: cat.jpg, a cat`: how reports call a pair of a file. */
function nameOf({ file, image, audio, text }: Record<string, unknown>, line: number): string {
  const parts = [file, image, audio, text].filter((part) => typeof part === "string");
  const names = parts.map((part) => shortened(part.replace(/^data:.*/, "a data URI")));
  return `line ${line}: ${names.join(", ")}`;
}

const shortened = (text: string) => (text.length > 120 ? `${text.slice(0, 120)}…` : text);

/**
 * Labelled files (see labelled-files.ts); of pairs, the label is the text too. The column `split`
 * names the test files; without it, each group stays on one side. A few-shot adapter takes no test
 * files.
 */
async function readFiles(
  source: string,
  field: "pairs" | "items",
  { groupBy, followLinks, seed }: Pick<MaterialFlags, "groupBy" | "followLinks" | "seed">,
): Promise<Record<string, unknown>> {
  const pattern = groupBy === undefined ? undefined : patternOf(groupBy);
  const labelled = await readLabelledFiles(source, { groupBy: pattern, followLinks });
  const splits = new Set(["train", "validation", "test"]);
  const wrong = labelled.find(({ split = "train" }) => !splits.has(split));
  if (wrong !== undefined) {
    const message =
      `${wrong.id}: expected train, validation or test in the column split but found ` +
      `"${wrong.split}"`;
    throw new CommandError(message, { code: "invalid_input" });
  }
  const isSplit = labelled.some(({ split }) => split !== undefined);
  const files = labelled.filter(
    ({ label, split = "train" }) => label !== undefined && (field === "pairs" || split === "train"),
  );
  const entries = [];
  for (const { path, within, id, label } of files) {
    const { modality, base64 } = await readMediaFile(path, { within });
    entries.push({ id, [modality]: base64, label, ...(field === "pairs" && { text: label }) });
  }
  const groups = files.map(({ group }) => group);
  const isGrouped = groups.some((group) => group !== undefined);
  if (field === "items")
    return {
      items: entries,
      // A file without one is a group by itself
      ...(isGrouped && { groups: files.map(({ group, id }) => group ?? id) }),
    };
  const at = (side: string) =>
    [...files.keys()].filter((i) => (files[i].split ?? "train") === side);
  if (isSplit)
    return {
      pairs: entries,
      split: { train: at("train"), validation: at("validation"), test: at("test") },
    };
  return { pairs: entries, ...(isGrouped && { split: groupSplit(groups, { seed }) }) };
}

/** A JSON array, or a label a line. */
async function readLabels(path: string): Promise<unknown> {
  const text = (await readBytes(path)).toString("utf8");
  return text.trimStart().startsWith("[") ? JSON.parse(text) : text.trimEnd().split(/\r?\n/);
}

export async function readBytes(path: string): Promise<Buffer> {
  return readFile(path).catch((error: Error) => {
    throw new CommandError(`${path} cannot be read (${error.message})`);
  });
}
