import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import { AppError } from "../errors.js";
import { followedHead } from "../heads/collection-head.js";
import type { HeadStore } from "../heads/head-store.js";
import type { JsonObject, StoredItem } from "../index/item.js";
import type { Changes, CollectionSpec, VectorStore } from "../index/vector-store.js";
import type { JobContext, JobData, JobKind } from "../jobs/job.js";
import type { MediaBudget } from "../media/budget.js";
import { type AddParts, addItems, type Incoming } from "./add-items.js";
import { holdModels } from "./held-models.js";
import { type ContentOf, hasContentOf, type SourceParts, sourceReader } from "./item-source.js";

/** The input of a move: the new collection as it will be created. */
export const MoveInput = z.object({
  collection: z.string(),
  into: z.custom<CollectionSpec>(),
  /** Points to the new collection at the end. */
  alias: z.string().optional(),
  /** Whether the alias moves although items are missing. */
  allowMissing: z.boolean(),
});
export type MoveInput = z.infer<typeof MoveInput>;

export type MoveServices = Omit<AddParts, "turn" | "config" | "store"> & {
  config: AddParts["config"] & SourceParts["config"];
  fetchMedia: SourceParts["fetchMedia"];
  keptMedia: AddParts["keptMedia"] & SourceParts["keptMedia"];
  store: VectorStore;
  heads: AddParts["heads"] & Pick<HeadStore, "whileKept">;
  budget: MediaBudget;
};

/** Items that are read together. */
const itemsAtOnce = 64;
/** Changed items that are few enough for the alias to move. */
const maxLateChanges = 16;
/** At most this many of the items that could not be embedded are named. */
const maxNamed = 100;

/**
 * `move`: embeds the items of a collection again, from what they were made of, into a new
 * collection of another model, and then points an alias there. The old collection stays and
 * answers; what is written to it meanwhile is carried over. When resumed, it continues with what is
 * missing.
 */
export function moveJob(services: MoveServices): JobKind {
  return {
    lane: "collections",
    async run(input, context) {
      const move = MoveInput.parse(input);
      return new Move(await holdModels(services, move.into), move, context).run();
    },
  };
}

class Move {
  readonly #services: MoveServices;
  readonly #input: MoveInput;
  readonly #context: JobContext;
  readonly #unread = new Map<string, string>();
  #contentOf!: ContentOf;
  #done = 0;
  #total = 0;

  constructor(services: MoveServices, input: MoveInput, context: JobContext) {
    this.#services = services;
    this.#input = input;
    this.#context = context;
  }

  async run(): Promise<JobData> {
    const { store } = this.#services;
    const { collection, into, alias, allowMissing } = this.#input;
    const { signal } = this.#context;
    this.#contentOf = await sourceReader(this.#services);
    const before = await store.stats(collection);
    this.#total = before.count;
    await this.#makeDestination();
    const watch = await store.watch(collection);
    try {
      let batch: StoredItem[] = [];
      for await (const item of store.scan(collection, { space: before.space })) {
        batch.push(item);
        if (batch.length < itemsAtOnce) continue;
        await this.#copy(batch);
        batch = [];
      }
      await this.#copy(batch);
      await this.#removeOthers();
      for (let left = Number.POSITIVE_INFINITY; left > maxLateChanges; ) {
        signal.throwIfAborted();
        const changes = await watch.take();
        await this.#carryOver(changes);
        left = changes.ids.size;
      }
      const { createdAt } = await store.stats(collection);
      if (createdAt !== before.createdAt) {
        const message = `The collection "${collection}" was deleted and created again meanwhile`;
        throw new AppError("conflict", message, { param: "collection" });
      }
      const moves = alias !== undefined && (allowMissing || this.#unread.size === 0);
      if (moves) await store.setAlias(alias, into.name);
      // From now on writes by the alias go to the new one; those before it may have ended just now.
      await this.#carryOver(await watch.take());
      const { count, space } = await store.stats(into.name);
      return {
        collection,
        into: into.name,
        model: into.options?.model,
        space,
        items: count,
        missing: {
          items: this.#unread.size,
          first: [...this.#unread].slice(0, maxNamed).map(([id, reason]) => ({ id, reason })),
        },
        ...(alias !== undefined && { alias: { name: alias, moved: moves } }),
      };
    } finally {
      await watch.end();
    }
  }

  /** Created here, or by this job before it was interrupted. */
  async #makeDestination(): Promise<void> {
    const { store, heads } = this.#services;
    const { into } = this.#input;
    const { id } = this.#context.job;
    const spec = { ...into, options: { ...into.options, moveJob: id } as JsonObject };
    try {
      await heads.whileKept(followedHead(spec.options), () => store.createCollection(spec));
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== "already_exists") throw error;
      const existing = await store.stats(into.name);
      if (existing.options.moveJob !== id || existing.space !== into.space) throw error;
    }
  }

  /** Embeds the items that are missing or have changed. */
  async #copy(items: readonly StoredItem[]): Promise<void> {
    const { store, budget } = this.#services;
    const { into } = this.#input;
    const { signal, report } = this.#context;
    signal.throwIfAborted();
    const ids = items.map(({ id }) => id);
    const existing = new Map((await store.get(into.name, ids)).map((item) => [item.id, item]));
    const same = items.filter((item) => hasContentOf(item, existing.get(item.id)));
    await store.patch(
      into.name,
      same
        .filter(({ id, metadata }) => !isDeepStrictEqual(metadata, existing.get(id)!.metadata))
        .map(({ id, metadata }) => ({ id, metadata, replace: true })),
    );
    const others = items.filter((item) => !same.includes(item));
    const groups = async function* (incoming: Incoming[]) {
      if (incoming.length > 0) yield incoming;
    };
    const parts = { ...this.#services, turn: budget.bulk(signal) };
    const incoming = groups(others.map((item) => this.#incoming(item)));
    const failed: string[] = [];
    let at = 0;
    for await (const statuses of addItems(parts, into.name, incoming, { signal }))
      for (const status of statuses) {
        const { id } = others[at++];
        if (status.status === "stored") this.#unread.delete(id);
        else {
          if (isOfAll(status.error)) throw status.error;
          this.#unread.set(id, status.error.message);
          failed.push(id);
        }
      }
    // What it was made from before would be found in its place.
    if (failed.length > 0) await store.delete(into.name, { ids: failed });
    this.#done += items.length;
    const missing = this.#unread.size;
    const detail = { stage: "embedding", done: this.#done, total: this.#total, missing };
    report(Math.min(0.99, this.#done / Math.max(1, this.#total)), detail);
  }

  #incoming(item: StoredItem): Incoming {
    const { id, metadata, source, contentHash, addedAt } = item;
    try {
      const content = this.#contentOf(item, this.#context.signal);
      return { id, content, metadata, source, contentHash, addedAt };
    } catch (error) {
      if (error instanceof AppError) return { id, error };
      throw error;
    }
  }

  async #carryOver({ ids, byFilter }: Changes): Promise<void> {
    const { store } = this.#services;
    const { collection, into } = this.#input;
    for (const { filter, patch } of byFilter)
      await (patch === undefined
        ? store.delete(into.name, { filter })
        : store.patchWhere(into.name, filter, patch));
    const changed = [...ids];
    for (let from = 0; from < changed.length; from += itemsAtOnce) {
      const some = changed.slice(from, from + itemsAtOnce);
      const items = await store.get(collection, some);
      await this.#remove(some, items);
      await this.#copy(items);
    }
    if (byFilter.length > 0) await this.#forgetDeleted();
  }

  /** For a resumed job: what was deleted while it was not running. */
  async #removeOthers(): Promise<void> {
    const { store } = this.#services;
    const { collection, into } = this.#input;
    let ids: string[] = [];
    const flush = async () => {
      await this.#remove(ids, await store.get(collection, ids));
      ids = [];
    };
    for await (const { id } of store.scan(into.name))
      if (ids.push(id) >= itemsAtOnce) await flush();
    await flush();
  }

  async #remove(ids: readonly string[], existing: readonly StoredItem[]): Promise<void> {
    const kept = new Set(existing.map(({ id }) => id));
    const gone = ids.filter((id) => !kept.has(id));
    if (gone.length === 0) return;
    await this.#services.store.delete(this.#input.into.name, { ids: gone });
    for (const id of gone) this.#unread.delete(id);
  }

  /** Items that were deleted are not missing. */
  async #forgetDeleted(): Promise<void> {
    const unread = [...this.#unread.keys()];
    const existing = await this.#services.store.get(this.#input.collection, unread);
    await this.#remove(unread, existing);
  }
}

/** Errors that every further item would meet. */
const isOfAll = ({ code }: AppError) =>
  ["storage_full", "storage_failed", "storage_corrupt", "cancelled", "space_mismatch"].includes(
    code,
  );
