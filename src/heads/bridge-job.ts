import { existsSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { readSealed, writeSealed } from "../files/sealed-file.js";
import type { JobContext, JobData, JobKind } from "../jobs/job.js";
import { seededRandom } from "../math/random.js";
import { type Rows, rowsOf, vectorsOf } from "../math/rows.js";
import { bridgeMethods } from "../training/bridge-options.js";
import type { LabelledRows } from "../training/bridge-report.js";
import {
  bridgeInWorker,
  compareBridgesInWorker,
  measureBridgeInWorker,
} from "../training/train-in-worker.js";
import type { BridgeStore } from "./bridge-store.js";
import { divideTexts, verdictOf } from "./bridge-verdict.js";
import { type LabelledItem, readLabelled } from "./collection-pairs.js";
import { embedAll } from "./embed-column.js";
import type { TrainingServices } from "./train-job.js";
import { checkSpace, keepRows, keptRows } from "./training-source.js";

/** The input of a bridge job. */
export const BridgeInput = z.object({
  name: z.string(),
  /** Ids of the models. */
  from: z.string(),
  to: z.string(),
  /** The models' spaces when the job was created. */
  fromSpace: z.string(),
  toSpace: z.string(),
  method: z.enum(bridgeMethods),
  /** Default: the built-in sentences. */
  texts: z.array(z.string()).optional(),
  /**
   * Items of the query model, and of the searched one: unlabelled memory.
   */
  fromCollection: z.string().optional(),
  toCollection: z.string().optional(),
  /** Metadata field of both collections that recall is measured by. */
  labelBy: z.string().optional(),
  seed: z.number().optional(),
  epochs: z.number().optional(),
  activate: z.enum(["never", "if_improved", "always"]),
});
export type BridgeInput = z.infer<typeof BridgeInput>;

/** The parts that bridge jobs need. */
export interface BridgeServices extends Omit<TrainingServices, "heads"> {
  bridges: BridgeStore;
}

/** Most queries and items that recall is measured on. */
const maxQueries = 1000;
const maxItems = 5000;

/**
 * `bridge`: embeds texts with both models, learns a head from one space into the other, measures it
 * and keeps it as a version.
 */
export function bridgeJob(services: BridgeServices): JobKind {
  return {
    lane: "training",
    run: (input, context) => run(BridgeInput.parse(input), context, services),
  };
}

async function run(
  input: BridgeInput,
  context: JobContext,
  services: BridgeServices,
): Promise<JobData> {
  const { folder, signal, report, job } = context;
  const { packs, store, bridges, config } = services;
  const [from, to] = [packs.find(input.from, "text"), packs.find(input.to, "text")];
  checkSpace(from, input.fromSpace);
  checkSpace(to, input.toSpace);
  const { texts, heldOut } = divideTexts(input.texts);
  const kept = keeper(folder);
  const total = 2 * (texts.length + heldOut.length);
  let embedded = 0;
  const embed = (pack: typeof from, some: readonly string[]) => async () => {
    const before = embedded;
    const onProgress = (count: number) => {
      embedded = before + count;
      report((0.4 * embedded) / total, { stage: "embedding", done: embedded, total });
    };
    return rowsOf(
      await embedAll("text", some, (i) => `texts[${i}]`, {
        ...services,
        pack,
        signal,
        onProgress,
      }),
    );
  };
  const textsFrom = await kept.rows("texts-from", embed(from, texts));
  const textsTo = await kept.rows("texts-to", embed(to, texts));
  const heldOutRows = {
    textsFrom: await kept.rows("held-out-from", embed(from, heldOut)),
    textsTo: await kept.rows("held-out-to", embed(to, heldOut)),
  };
  const read = (collection: string | undefined, space: string) => async () => {
    const items =
      collection === undefined
        ? []
        : await readLabelled(store, collection, input.labelBy, space, signal);
    return items.filter(({ modality }) => modality !== "text");
  };
  const fromItems = await kept.items("from", read(input.fromCollection, from.space));
  const searched = await kept.items("to", read(input.toCollection, to.space));
  const { memory, queries } = divide(fromItems, input.seed ?? 1);

  report(0.4, { stage: "fitting" });
  const head = await bridgeInWorker(
    {
      method: input.method,
      textsFrom,
      textsTo,
      memoryFrom:
        memory.length === 0 ? undefined : rowsOf(memory.map(({ embedding }) => embedding)),
      memoryTo:
        searched.length === 0 ? undefined : rowsOf(searched.map(({ embedding }) => embedding)),
      seed: input.seed,
      epochs: input.epochs,
    },
    {
      signal,
      checkpointPath: join(folder, "checkpoint.safetensors"),
      threads: config.threads === 0 ? undefined : config.threads,
      onProgress: ({ epochs, ...epoch }) =>
        report(0.4 + 0.5 * (epoch.epoch / epochs), { stage: "training", epochs, ...epoch }),
    },
  );
  report(0.95, { stage: "measuring" });
  const items = searched.filter(({ label }) => label !== undefined).slice(0, maxItems);
  const labels = new Set(items.map(({ label }) => label));
  const measurable = queries.filter(({ label }) => labels.has(label)).slice(0, maxQueries);
  const recall =
    measurable.length === 0
      ? undefined
      : await measureBridgeInWorker(
          { head, queries: labelled(measurable), items: labelled(items), textsFrom, textsTo },
          { signal },
        );

  const inUse = bridges
    .active()
    .find(({ fromSpace, toSpace }) => fromSpace === from.space && toSpace === to.space);
  const comparison = await compareBridgesInWorker(
    { head, inUse: inUse?.head, ...heldOutRows },
    { signal },
  );
  const verdict = verdictOf(comparison, inUse && bridges.get(inUse.name), memory.length);

  const { name, method, fromCollection, toCollection } = input;
  const spaces = { fromSpace: from.space, toSpace: to.space };
  const version = await bridges.add({
    name,
    ...spaces,
    head,
    method,
    report: {
      name,
      from_space: spaces.fromSpace,
      to_space: spaces.toSpace,
      method,
      texts: texts.length,
      memory: { from: memory.length, to: searched.length },
      collections: { from: fromCollection ?? null, to: toCollection ?? null },
      verdict,
      ...(recall && {
        measured: { queries: measurable.length, items: items.length, labels: labels.size },
        recall,
      }),
      seed: input.seed ?? 1,
      created_at: new Date().toISOString(),
      job: job.id,
    },
  });
  const activated =
    input.activate === "always" || (input.activate === "if_improved" && verdict.improved);
  if (activated) await bridges.activate(name, version);
  return {
    bridge: name,
    version,
    ...spaces,
    method,
    activated,
    verdict,
    ...(recall && { recall }),
  };
}

/**
 * Half of the labelled items are the queries; the others and the unlabelled ones are the memory.
 */
function divide(
  items: readonly LabelledItem[],
  seed: number,
): { memory: LabelledItem[]; queries: LabelledItem[] } {
  const labelledItems = items.filter(({ label }) => label !== undefined);
  const order = [...seededRandom(seed).permutation(labelledItems.length)];
  const queries = order.slice(0, Math.ceil(order.length / 2)).map((i) => labelledItems[i]);
  const isQuery = new Set(queries);
  return { memory: items.filter((item) => !isQuery.has(item)), queries };
}

const labelled = (items: readonly LabelledItem[]): LabelledRows => ({
  rows: rowsOf(items.map(({ embedding }) => embedding)),
  labels: items.map(({ label }) => label as string),
});

/**
 * Arrays are made once and kept in the job's folder, so that a resumed job continues with the same
 * ones.
 */
function keeper(folder: string) {
  const path = (file: string) => join(folder, file);
  const rows = async (name: string, make: () => Promise<Rows>): Promise<Rows> => {
    const file = path(`${name}.npy`);
    if (existsSync(file)) return keptRows(file);
    const computed = await make();
    await keepRows(file, computed);
    return computed;
  };
  return {
    rows,
    items: async (name: string, make: () => Promise<LabelledItem[]>): Promise<LabelledItem[]> => {
      const file = path(`${name}.json`);
      if (!existsSync(file)) {
        const computed = await make();
        if (computed.length > 0)
          await keepRows(path(`${name}.npy`), rowsOf(computed.map((item) => item.embedding)));
        await writeSealed(file, JSON.stringify(computed.map(({ embedding: _, ...item }) => item)));
        return computed;
      }
      const text = (await readSealed(file)).toString("utf8");
      const saved = JSON.parse(text) as Omit<LabelledItem, "embedding">[];
      if (saved.length === 0) return [];
      const embeddings = vectorsOf(await keptRows(path(`${name}.npy`)));
      return saved.map((item, i) => ({ ...item, embedding: embeddings[i] }));
    },
  };
}
