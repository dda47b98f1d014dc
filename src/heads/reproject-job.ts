import { z } from "zod";
import type { Embedding } from "../encoders/encoder.js";
import { applyHeadInTurns } from "../encoders/with-head.js";
import { AppError } from "../errors.js";
import type { Item, StoredItem } from "../index/item.js";
import type { Changes, VectorStore } from "../index/vector-store.js";
import type { JobContext, JobData, JobKind } from "../jobs/job.js";
import type { Log } from "../log.js";
import type { Bridges } from "./bridge-version.js";
import { followedHead, isBeingBuilt } from "./collection-head.js";
import { pathFrom } from "./head-path.js";
import type { HeadStore } from "./head-store.js";
import type { UsableHead } from "./head-version.js";

/**
 * The input of a re-projection: a collection that follows a head whose active version has changed.
 */
const ReprojectInput = z.object({ collection: z.string() });

/** The parts that re-projections need. */
export interface ReprojectServices {
  store: VectorStore;
  heads: HeadStore;
  bridges: Bridges;
  log: Log;
}

/** Items read, projected and written together. */
const itemsAtOnce = 200;
/** Changed items that are few enough to copy while writes wait. */
const fewChanges = 500;

/**
 * `reproject`: rebuilds a collection under the active version from its items' original embeddings,
 * and replaces the old one by it. The old one answers until then, and concurrent writes are carried
 * over.
 */
export function reprojectJob(services: ReprojectServices): JobKind {
  const run: JobKind["run"] = (input, context) => {
    // Those of now, also when a model at one of their ends is unloaded meanwhile.
    const active = services.bridges.active();
    const held = { ...services, bridges: { active: () => active } };
    return reproject(ReprojectInput.parse(input), context, held);
  };
  return { lane: "collections", isInternal: true, run };
}

async function reproject(
  { collection }: z.infer<typeof ReprojectInput>,
  context: JobContext,
  services: ReprojectServices,
): Promise<JobData> {
  const { job, signal, report } = context;
  const { store, heads } = services;
  // One re-projection runs at a time: leftovers of others belong to ended processes.
  for (const other of await store.listCollections()) {
    if (isBeingBuilt(other)) await store.dropCollection(other.name);
  }
  const stats = await store.stats(collection);
  const followed = followedHead(stats.options);
  if (followed === undefined) {
    throw new AppError("conflict", `The collection "${collection}" does not follow a head`, {
      param: "collection",
    });
  }
  const head = await heads.use(followed.name);
  if (head.version === followed.version) {
    return {
      collection,
      head: head.name,
      version: head.version,
      space: head.space,
      items: stats.count,
    };
  }

  const copy = `reproject-${job.id}`;
  const watch = await store.watch(collection);
  try {
    const version = { name: head.name, version: head.version };
    await heads.whileKept(version, () =>
      store.createCollection({
        name: copy,
        space: head.space,
        dimensions: head.dimensions,
        fields: stats.fields,
        options: { ...stats.options, head: version, replaces: collection },
      }),
    );
    let items = 0;
    const carry = async (some: readonly StoredItem[]) => {
      signal.throwIfAborted();
      await copyItems(services, collection, copy, some, head);
      items += some.length;
      report(Math.min(0.99, items / Math.max(1, stats.count)), {
        stage: "projecting",
        done: items,
        total: stats.count,
      });
    };
    let batch: StoredItem[] = [];
    for await (const item of store.scan(collection, { space: stats.space })) {
      batch.push(item);
      if (batch.length < itemsAtOnce) continue;
      await carry(batch);
      batch = [];
    }
    if (batch.length > 0) await carry(batch);

    const catchUp = async ({ ids, byFilter }: Changes) => {
      for (const { filter, patch } of byFilter)
        await (patch === undefined
          ? store.delete(copy, { filter })
          : store.patchWhere(copy, filter, patch));
      const changed = [...ids];
      for (let from = 0; from < changed.length; from += itemsAtOnce) {
        const some = changed.slice(from, from + itemsAtOnce);
        const existing = await store.get(collection, some);
        const existingIds = new Set(existing.map(({ id }) => id));
        await store.delete(copy, { ids: some.filter((id) => !existingIds.has(id)) });
        await copyItems(services, collection, copy, existing, head);
      }
    };
    for (let left = Number.POSITIVE_INFINITY; left > fewChanges; ) {
      signal.throwIfAborted();
      const changes = await watch.take();
      await catchUp(changes);
      left = changes.ids.size;
    }
    await watch.replaceBy(copy, async (last) => {
      await catchUp(last);
      const { createdAt } = await store.stats(collection);
      if (createdAt === stats.createdAt) return;
      const message =
        `The collection "${collection}" was deleted and created again in the meantime; it is ` +
        "left unchanged";
      throw new AppError("conflict", message, { param: "collection" });
    });
  } catch (error) {
    await store.dropCollection(copy).catch(() => undefined);
    throw error;
  } finally {
    await watch.end();
  }
  // Another version may be active by now, perhaps the one that the collection followed at first,
  // for which no job was started.
  return reproject({ collection }, context, services);
}

async function copyItems(
  { store, bridges }: ReprojectServices,
  from: string,
  to: string,
  items: readonly StoredItem[],
  head: UsableHead,
): Promise<void> {
  if (items.length === 0) return;
  const projected = new Map<StoredItem, Embedding>();
  for (const group of alike(items)) {
    const [{ id, modality, original }] = group;
    const path = original && pathFrom(original.space, modality, head, bridges.active());
    if (path === undefined) {
      const message =
        `Item "${id}" of the collection "${from}" cannot be projected: it has no embedding in ` +
        `${head.fromSpace}, and no bridge leads there`;
      throw new AppError("space_mismatch", message, { param: "collection" });
    }
    let embeddings = group.map((item) => item.original?.embedding as Embedding);
    for (const projection of path) embeddings = await applyHeadInTurns(projection, embeddings);
    for (const [i, item] of group.entries()) projected.set(item, embeddings[i]);
  }
  const previews = await store.previews(
    from,
    items.map(({ id }) => id),
  );
  const copies = items.map((item): Item => {
    const preview = previews.get(item.id);
    return { ...item, embedding: projected.get(item) as Embedding, ...(preview && { preview }) };
  });
  for (const status of await store.upsert(to, copies)) {
    if (status.status === "stored") continue;
    const { code, message, param } = status.error;
    throw new AppError(code, `Item "${status.id}": ${message}`, { param });
  }
}

/** Items of one modality and original space share a path. */
function alike(items: readonly StoredItem[]): StoredItem[][] {
  const groups = new Map<string, StoredItem[]>();
  for (const item of items) {
    const key = `${item.modality} ${item.original?.space}`;
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  return [...groups.values()];
}
