import { z } from "zod";
import type { Encoder } from "../encoders/encoder.js";
import type { Packs } from "../encoders/packs.js";
import { AppError, invalidInput } from "../errors.js";
import { headOfCollection } from "../heads/collection-head.js";
import type { HeadStore } from "../heads/head-store.js";
import { headedPack } from "../heads/headed-pack.js";
import type { VectorStore } from "../index/vector-store.js";
import type { JobContext, JobData, JobKind } from "../jobs/job.js";
import { rowRange, rowsOf } from "../math/rows.js";
import type { FittedCalibration } from "../training/calibration.js";
import { calibrateInWorker } from "../training/train-in-worker.js";
import { classEmbeddings } from "../zero-shot/class-embeddings.js";
import { chooseTemplates } from "../zero-shot/prompts.js";
import type { ReferenceBank } from "../zero-shot/reference-bank.js";
import { type CalibrationFile, labelsOf } from "./calibration.js";
import type { CalibrationStore } from "./calibration-store.js";
import { type SampledItem, sampleItems } from "./sample-items.js";

/** The input of a calibration job. */
export const CalibrateInput = z.object({
  name: z.string(),
  collection: z.string(),
  by: z.string().optional(),
  modality: z.enum(["image", "audio"]).optional(),
  activate: z.boolean(),
});
export type CalibrateInput = z.infer<typeof CalibrateInput>;

/** Maximum number of items that a fit uses. */
const maxItems = 4000;
/** Largest background that requests are compared with: enough for rates down to .1 %. */
const maxBackground = 1000;
/** With less of it, no rate below 5 % can be measured. */
const minItems = 20;
const maxLabels = 1000;

export interface CalibrateParts {
  packs: Packs;
  heads: Pick<HeadStore, "use">;
  store: VectorStore;
  calibrations: CalibrationStore;
  referenceBank: ReferenceBank;
}

/** `calibrate`: the items of a collection as background, and with labels as examples. */
export function calibrateJob(parts: CalibrateParts): JobKind {
  return {
    lane: "training",
    run: (input, context) => run(CalibrateInput.parse(input), context, parts),
  };
}

async function run(
  { name, collection, by, activate, ...input }: CalibrateInput,
  { job, signal, report }: JobContext,
  parts: CalibrateParts,
): Promise<JobData> {
  const { pack, modality } = await packOf(parts, collection, input.modality);
  const { space } = pack;
  const sampled = await sampleItems(parts.store, collection, {
    modality,
    space,
    by,
    count: maxItems,
    signal,
  });
  const { items, total } = sampled;
  if (total < minItems) {
    const which = by === undefined ? `${modality} items` : `${modality} items with "${by}"`;
    const message =
      `Expected at least ${minItems} ${which} but the ` + `collection "${collection}" has ${total}`;
    throw invalidInput(by === undefined ? "collection" : "by", message);
  }
  report(0.3, { stage: "fitting", items: items.length });
  const rows = rowsOf(items.map(({ embedding }) => embedding));
  const fitted =
    by === undefined ? undefined : await fitLabelled(parts, pack, modality, items, signal);
  const file: CalibrationFile = {
    formatVersion: 1,
    model: pack.manifest.id,
    space,
    modality,
    createdAt: new Date().toISOString(),
    collection,
    by,
    job: job.id,
    items: items.length,
    backgroundLabels: items.slice(0, maxBackground).map(({ label }) => label ?? null),
    logistic: fitted?.logistic,
    report: fitted?.report ?? null,
  };
  const background = rowRange(rows, 0, file.backgroundLabels.length);
  const version = await parts.calibrations.add(name, file, background);
  if (activate) await parts.calibrations.activate(name, version);
  return {
    calibration: name,
    version,
    activated: activate,
    model: file.model,
    space,
    modality,
    items: file.items,
    background: file.backgroundLabels.length,
    labels: labelsOf(file),
    probabilities: file.logistic !== undefined,
    report: file.report,
  };
}

/**
 * The pack whose texts are in the space in which a collection's items are searched, and the items'
 * modality.
 * @throws AppError `invalid_input`, `space_mismatch`.
 */
export async function packOf(
  { packs, heads, store }: Pick<CalibrateParts, "packs" | "heads" | "store">,
  collection: string,
  requested: "image" | "audio" | undefined,
) {
  const stats = await store.stats(collection);
  const model = stats.options.model as string | undefined;
  if (model === undefined) {
    const message =
      `The collection "${collection}" holds vectors of your own: no model's labels could be ` +
      "compared with them";
    throw invalidInput("collection", message);
  }
  const present = (["image", "audio"] as const).filter(
    (one) => (stats.countByModality[one] ?? 0) > 0,
  );
  const [modality] = requested === undefined ? present : [requested];
  if (modality === undefined || (requested === undefined && present.length > 1)) {
    const has =
      present.length === 0
        ? "neither pictures nor sounds"
        : 'pictures and sounds; choose one with "modality"';
    const message = `The collection "${collection}" has ${has}`;
    throw invalidInput("modality", message);
  }
  const head = await headOfCollection(heads, stats);
  const base = packs.find(model, "text");
  const pack = head === undefined ? base : headedPack(base, head);
  if (pack.space !== stats.space) {
    const message =
      `The collection "${collection}" is in the space ${stats.space}, but "${model}" now ` +
      `embeds into ${pack.space}`;
    throw new AppError("space_mismatch", message, { param: "collection" });
  }
  if (pack.encoders.text === undefined) {
    const message =
      `No text can be compared with the collection "${collection}": its head has no side for ` +
      "text";
    throw invalidInput("collection", message);
  }
  return { pack, modality };
}

async function fitLabelled(
  { referenceBank }: CalibrateParts,
  pack: Awaited<ReturnType<typeof packOf>>["pack"],
  modality: "image" | "audio",
  items: readonly SampledItem[],
  signal: AbortSignal,
): Promise<FittedCalibration> {
  const names = [...new Set(items.map(({ label }) => label!))].sort();
  if (names.length < 2 || names.length > maxLabels) {
    const message = `Expected items with 2 to ${maxLabels} labels but they have ${names.length}`;
    throw invalidInput("by", message);
  }
  const places = new Map(names.map((label, i) => [label, i]));
  const templates = chooseTemplates({}, pack.manifest.promptTemplates[modality], modality);
  const [texts, { neutral }] = await Promise.all([
    classEmbeddings(pack.encoders.text as Encoder<"text">, names, { templates }, signal),
    referenceBank.neutral(pack, modality, templates),
  ]);
  const material = {
    items: rowsOf(items.map(({ embedding }) => embedding)),
    classes: Int32Array.from(items, ({ label }) => places.get(label!)!),
    texts: rowsOf(texts),
    neutral,
    logitScale: pack.manifest.logitScale,
  };
  return calibrateInWorker(material, { signal });
}
