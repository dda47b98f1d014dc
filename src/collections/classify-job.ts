import { z } from "zod";
import type { Modality } from "../encoders/encoder.js";
import { AppError } from "../errors.js";
import { type Filter, fieldPath } from "../index/filter.js";
import type { ItemPatch, JsonObject, StoredItem } from "../index/item.js";
import type { VectorStore } from "../index/vector-store.js";
import {
  type Answerer,
  type ClassifyParts,
  type LabelQuery,
  planLabels,
} from "../inference/label-plan.js";
import { answererOfCollection, embeddingFor } from "../inference/stored-answerer.js";
import type { JobContext, JobData, JobKind } from "../jobs/job.js";
import { turnClock } from "../json/next-turn.js";
import { type Classified, labelScorer } from "../zero-shot/classifier.js";

/** The input of a classify job: the labels as they were at its creation. */
export const ClassifyInput = z.object({
  collection: z.string(),
  field: z.string(),
  query: z.custom<LabelQuery>(),
  filter: z.custom<Filter>().optional(),
  modality: z.enum(["text", "image", "audio"]).optional(),
});
export type ClassifyInput = z.infer<typeof ClassifyInput>;

export interface ClassifyServices extends ClassifyParts {
  store: VectorStore;
}

const itemsAtOnce = 500;
/** How many of the items that could not be scored are named. */
const maxNamed = 100;

/**
 * `classify`: scores the items of a collection by the embeddings they have, and writes the labels
 * into their metadata. Only the labels are embedded. Running it again gives the same result.
 */
export function classifyJob(services: ClassifyServices): JobKind {
  return {
    lane: "collections",
    run: (input, context) => run(ClassifyInput.parse(input), context, services),
  };
}

async function run(
  { collection, field, query, filter, modality }: ClassifyInput,
  { signal, report }: JobContext,
  services: ClassifyServices,
): Promise<JobData> {
  const { store } = services;
  const stats = await store.stats(collection);
  const answerer = await answererOfCollection(services, query, stats);
  const by = madeBy(answerer, query);
  const total = filter === undefined ? stats.count : await store.count(collection, filter);
  const warnings = new Set<string>();
  const scorerFor = scorers(services, answerer, query, { signal, warnings });
  const counts = new Map<string, number>();
  const skipped = { items: 0, first: [] as { id: string; reason: string }[] };
  let items = 0;
  let labelled = 0;

  const clock = turnClock();
  const patchOf = async (item: StoredItem): Promise<ItemPatch | undefined> => {
    if (clock.isUp()) await clock.next();
    try {
      const score = await scorerFor(item.modality);
      const found = score(embeddingFor(answerer, { ...item, space: stats.space }));
      const fits = found.verdict?.known !== false;
      const scores = fits ? found.scores.filter(({ known }) => known !== false) : [];
      if (scores.length > 0) labelled++;
      for (const { label } of scores) counts.set(label, (counts.get(label) ?? 0) + 1);
      return { id: item.id, metadata: nested(field, tagsOf(scores, by)) };
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof AppError)) throw error;
      skipped.items++;
      if (skipped.first.length < maxNamed)
        skipped.first.push({ id: item.id, reason: error.message });
      return undefined;
    }
  };
  const write = async (batch: readonly StoredItem[]) => {
    signal.throwIfAborted();
    const patches: ItemPatch[] = [];
    for (const item of batch) {
      const patch = await patchOf(item);
      if (patch !== undefined) patches.push(patch);
    }
    for (const patched of await store.patch(collection, patches)) {
      if (patched.status !== "failed") continue;
      const { code, message, param } = patched.error;
      throw new AppError(code, `Item "${patched.id}": ${message}`, { param });
    }
    items += batch.length;
    report(Math.min(0.99, items / Math.max(1, total)), { stage: "tagging", done: items, total });
  };
  let batch: StoredItem[] = [];
  for await (const item of store.scan(collection, { filter, modality, space: stats.space })) {
    batch.push(item);
    if (batch.length < itemsAtOnce) continue;
    await write(batch);
    batch = [];
  }
  if (batch.length > 0) await write(batch);
  return {
    collection: stats.name,
    field,
    model: answerer.pack.manifest.id,
    space: answerer.pack.space,
    items,
    labelled,
    counts: Object.fromEntries([...counts].sort(([, one], [, other]) => other - one)),
    skipped,
    warnings: [...warnings],
  };
}

/** The labels are embedded once for each modality. */
function scorers(
  services: ClassifyServices,
  answerer: Answerer,
  query: LabelQuery,
  { signal, warnings }: { signal: AbortSignal; warnings: Set<string> },
): (modality: Modality) => Promise<(embedding: Float32Array) => Classified> {
  const byModality = new Map<Modality, ReturnType<typeof labelScorer>>();
  return (modality) => {
    const found = byModality.get(modality);
    if (found !== undefined) return found;
    const making = planLabels(services, answerer, query, { modality, signal }).then((plan) => {
      for (const warning of plan.warnings) warnings.add(warning);
      return labelScorer(plan.scorer, plan.labels, plan.options);
    });
    byModality.set(modality, making);
    return making;
  };
}

function tagsOf(scores: Classified["scores"], by: string): JsonObject {
  return {
    labels: scores.map(({ label }) => label),
    scores: scores.map(({ score }) => Number(score.toFixed(4))),
    by,
  };
}

function madeBy({ pack, head }: Answerer, { labelSet }: LabelQuery): string {
  const parts = [pack.space];
  if (head !== undefined) parts.push(`head ${head.name} version ${head.version}`);
  if (labelSet !== undefined) parts.push(`labels ${labelSet.name} version ${labelSet.version}`);
  return parts.join(", ");
}

/** `a.b` -> {a: {b: value}} */
function nested(field: string, value: JsonObject): JsonObject {
  return fieldPath(field, "field").reduceRight<JsonObject>(
    (inner, key) => Object.fromEntries([[key, inner]]),
    value,
  );
}
