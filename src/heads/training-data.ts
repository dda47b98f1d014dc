import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Config } from "../config.js";
import type { Modality } from "../encoders/encoder.js";
import type { LoadedPack } from "../encoders/load.js";
import { AppError } from "../errors.js";
import { readSealed, writeSealed } from "../files/sealed-file.js";
import type { VectorStore } from "../index/vector-store.js";
import { type Rows, rowsOf, unitRows } from "../math/rows.js";
import type { MediaBudget } from "../media/budget.js";
import type { Media } from "../media/media.js";
import { classEmbeddings } from "../zero-shot/class-embeddings.js";
import { chooseTemplates } from "../zero-shot/prompts.js";
import { pairUp, readLabelled } from "./collection-pairs.js";
import { embedAll } from "./embed-column.js";
import {
  type Column,
  countOf,
  keepRows,
  keptRows,
  mediaOf,
  readRowsFile,
  type TrainingSource,
} from "./training-source.js";

export interface TrainingDataOptions {
  pack: LoadedPack;
  store: VectorStore;
  media: Media;
  budget: MediaBudget;
  config: Config;
  /** The job's folder. */
  folder: string;
  signal: AbortSignal;
  onProgress: (done: number, total: number) => void;
  /**
   * From a collection, use each picture or sound with its label, not pairs; texts are skipped.
   */
  mediaOnly?: boolean;
}

/** Embeddings to train on, in the model's space: unit rows. */
export interface TrainingData {
  sides: { a: Modality; b?: Modality };
  a: Rows;
  b?: Rows;
  /** One for each pair, if pairs have labels. */
  labels?: string[];
  /** Ids of the items of a collection, or those that the request gave its entries. */
  ids?: string[];
  /** Decoding warnings, with the field of the file. */
  warnings?: string[];
}

/** Warnings that are kept; further ones are counted. */
const maxWarnings = 100;

/**
 * The embeddings a job works on. They are saved to its folder, so that a resumed job continues with
 * the same ones: a collection may have changed meanwhile, and embedding takes time.
 *
 * @param labels  those of the request; a collection's items have their own.
 */
export async function loadTrainingData(
  source: TrainingSource,
  labels: string[] | undefined,
  options: TrainingDataOptions,
): Promise<TrainingData> {
  const { a, b, ...data } = await readOrEmbed(source, labels, options);
  return { ...data, a: unitRows(a, "a"), b: b && unitRows(b, "b") };
}

async function readOrEmbed(
  source: TrainingSource,
  labels: string[] | undefined,
  options: TrainingDataOptions,
): Promise<TrainingData> {
  const { folder } = options;
  const path = (name: string) => join(folder, name);
  if (source.kind === "embeddings") {
    const b = source.sides.b && (await readRowsFile(path("b.npy")));
    return { sides: source.sides, a: await readRowsFile(path("a.npy")), b, labels };
  }
  if (existsSync(path("gathered.json"))) {
    const text = (await readSealed(path("gathered.json"))).toString("utf8");
    const kept = JSON.parse(text) as Omit<TrainingData, "a" | "b">;
    const b = kept.sides.b && (await keptRows(path("b.npy")));
    return { ...kept, a: await keptRows(path("a.npy")), b };
  }
  const data =
    source.kind === "media"
      ? await fromMedia(source, labels, options)
      : await fromCollection(source.collection, source.by, options);
  const { a, b, ...rest } = data;
  await keepRows(path("a.npy"), a);
  if (b !== undefined) await keepRows(path("b.npy"), b);
  // Last: its presence means that everything is there
  await writeSealed(path("gathered.json"), JSON.stringify(rest));
  return data;
}

async function fromMedia(
  { a, b, field, ids }: Extract<TrainingSource, { kind: "media" }>,
  labels: string[] | undefined,
  options: TrainingDataOptions,
): Promise<TrainingData> {
  const warnings: string[] = [];
  const total = countOf(a) + (b === undefined ? 0 : countOf(b));
  const embed = async (column: Column, side: "a" | "b", before: number) => {
    const inputs =
      column.kind === "texts" ? column.texts : mediaOf(options.folder, side, column.lengths);
    const nameOf = (i: number) => `${field}[${i}].${column.modality}`;
    const onProgress = (done: number) => options.onProgress(before + done, total);
    const onWarnings = (param: string, sentences: readonly string[]) =>
      warnings.push(...sentences.map((sentence) => `${param}: ${sentence}`));
    const tellers = { onProgress, onWarnings };
    return rowsOf(await embedAll(column.modality, inputs, nameOf, { ...options, ...tellers }));
  };
  const texts = [a, b].find((column) => column?.kind === "texts");
  // A repeated text is not its own negative.
  const repeated =
    texts?.kind === "texts" && new Set(texts.texts).size < texts.texts.length
      ? texts.texts
      : undefined;
  const rows = { a: await embed(a, "a", 0), b: b && (await embed(b, "b", countOf(a))) };
  return {
    sides: { a: a.modality, b: b?.modality },
    ...rows,
    labels: labels ?? repeated,
    ids,
    ...(warnings.length > 0 && { warnings: firstOf(warnings) }),
  };
}

function firstOf(warnings: string[]): string[] {
  const further = warnings.length - maxWarnings;
  if (further <= 0) return warnings;
  return [...warnings.slice(0, maxWarnings), `${further} further warnings`];
}

async function fromCollection(
  collection: string,
  by: string,
  options: TrainingDataOptions,
): Promise<TrainingData> {
  const { pack, store, signal, mediaOnly } = options;
  const all = await readLabelled(store, collection, by, pack.space, signal);
  const media = all.filter(({ modality }) => modality !== "text");
  const items = mediaOnly && media.length > 0 ? media : all;
  const { a, b, labels, repeats } = pairUp(items, by, collection);
  const data = {
    sides: { a: a[0].modality, b: b?.[0].modality ?? ("text" as const) },
    a: rowsOf(a.map(({ embedding }) => embedding)),
    ids: a.map(({ id }) => id),
    labels: repeats || b === undefined ? labels : undefined,
  };
  if (b !== undefined) return { ...data, b: rowsOf(b.map(({ embedding }) => embedding)) };
  if (data.sides.a === "text") {
    const message =
      `Expected items of two modalities, or pictures or sounds, but "${collection}" has only ` +
      `texts with "${by}"`;
    throw new AppError("invalid_input", message, { param: "collection" });
  }
  const names = [...new Set(labels)];
  const templates = chooseTemplates({}, pack.manifest.promptTemplates[data.sides.a], data.sides.a);
  const text = pack.encoders.text;
  if (text === undefined) {
    throw new AppError(
      "invalid_input",
      `The model "${pack.manifest.id}" does not understand text`,
      { param: "model" },
    );
  }
  const vectors = await classEmbeddings(text, names, { templates }, signal);
  return { ...data, b: rowsOf(labels.map((label) => vectors[names.indexOf(label)])) };
}
