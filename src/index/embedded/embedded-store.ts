import type { Modality } from "../../encoders/encoder.js";
import { AppError } from "../../errors.js";
import type { Log } from "../../log.js";
import { moving, type Remote, remoteOf } from "../../workers/remote.js";
import { startWorker } from "../../workers/start-worker.js";
import { SupervisedWorker } from "../../workers/supervise.js";
import { checkFields, checkItem, checkMetadata, checkName, checkSpec } from "../check-item.js";
import { checkFilter, type Filter } from "../filter.js";
import type { Item, ItemPatch, ItemPatched, ItemStatus, Preview, StoredItem } from "../item.js";
import type { Query, SearchResult } from "../query.js";
import type {
  CollectionSpec,
  CollectionStats,
  EmbeddingOptions,
  Page,
  PageOptions,
  ScanOptions,
  SearchOptions,
  StoreCondition,
  VectorStore,
} from "../vector-store.js";
import type { CoreOptions } from "./core-types.js";
import { lockDataFolder } from "./data-folder-lock.js";
import { wasOpened } from "./inspect-database.js";
import { itemOf } from "./item-of-row.js";
import type { ItemRow } from "./item-rows.js";
import { modalities } from "./modality-means.js";
import { coreQueries, readPageCursor, searchResult, writePageCursor } from "./query-codec.js";
import type { StoreCore } from "./store-core.js";
import { unitLength } from "./unit-length.js";

export interface EmbeddedStoreOptions {
  /** Created when it does not exist. One process at a time. */
  dataDir: string;
  /** Which library builds the graphs. Default `usearch`. */
  engine?: CoreOptions["engine"];
  /**
   * Up to this many items a collection is scanned and has no graph. Default 250,000: about 5 ms at
   * 512 dimensions.
   */
  scanUpTo?: number;
  /**
   * Up to this many items `high` scans them although there is a graph for `fast`. Default
   * 2,000,000: about 40 ms.
   */
  scanHighUpTo?: number;
  /** Rows that enter a graph before it is written to the disk again. Default 10,000. */
  snapshotAfter?: number;
  /** Largest database in pages of 16 KB. Default: as large as the disk. */
  maxPages?: number;
  /** Is told when the thread ends unexpectedly and is started again. */
  log?: Log;
}

/**
 * Items sent to the thread at a time: a transaction each, and a few milliseconds of the event loop
 * to copy.
 */
const itemsPerCall = 250;
/** Without their vectors items are smaller. */
const patchesPerCall = 1000;

/**
 * Opens the embedded driver: SQLite in the data folder is the truth, vectors are searched in
 * memory, all in a worker thread of its own.
 *
 * @throws AppError storage_locked when another process has the folder; storage_failed,
 *   storage_corrupt.
 */
export async function openEmbeddedStore({
  log,
  ...options
}: EmbeddedStoreOptions): Promise<EmbeddedStore> {
  const limits = { scanUpTo: 250_000, scanHighUpTo: 2_000_000, snapshotAfter: 10_000 };
  const wasUsed = wasOpened(options.dataDir);
  const coreOptions: CoreOptions = { engine: "usearch", wasUsed, ...limits, ...options };
  const start = async () => {
    const worker = startWorker(new URL("./store-worker.js", import.meta.url), coreOptions);
    try {
      await worker.call("open", []);
      for (const note of await worker.call<string[]>("notes", [])) log?.warn(note);
      return worker;
    } catch (error) {
      await worker.close();
      throw error;
    }
  };
  // The lock is held here and not by the thread, so that nobody else takes the folder while a
  // thread is replaced.
  const unlock = await lockDataFolder(options.dataDir);
  try {
    const worker = await SupervisedWorker.start({ name: "The store", start, log });
    return new EmbeddedStore(worker, unlock);
  } catch (error) {
    unlock();
    throw error;
  }
}

/**
 * The main thread's side of the embedded driver: checks what comes in, copies it to the thread,
 * shapes what comes back.
 */
export class EmbeddedStore implements VectorStore {
  readonly #worker: SupervisedWorker;
  readonly #core: Remote<StoreCore>;
  readonly #unlock: () => void;
  #nextSearch = 0;
  /** What checking an item needs to know, of the collections that were used lately. */
  readonly #shapes = new Map<string, { space: string; dimensions: number }>();
  #aliases: Promise<Map<string, string>> | undefined;

  constructor(worker: SupervisedWorker, unlock: () => void) {
    this.#worker = worker;
    this.#core = remoteOf<StoreCore>(worker);
    this.#unlock = unlock;
  }

  /** What cannot be done at present, and why. */
  condition(): Promise<StoreCondition> {
    return this.#core.condition();
  }

  /** Why it cannot be used at the moment. */
  get trouble(): string | undefined {
    return this.#worker.trouble;
  }

  async createCollection(spec: CollectionSpec): Promise<void> {
    checkSpec(spec);
    await this.#core.createCollection(spec);
  }

  async renameCollection(
    from: string,
    to: string,
    options: { replace?: boolean } = {},
  ): Promise<void> {
    checkName(to);
    this.#shapes.clear();
    await this.#core.renameCollection(from, to, options.replace ?? false);
    this.#forgetNames();
  }

  async dropCollection(name: string): Promise<void> {
    await this.#core.dropCollection(name);
    this.#shapes.clear();
  }

  async setFields(collection: string, fields: readonly string[]): Promise<void> {
    checkFields(fields);
    await this.#core.setFields(collection, fields);
  }

  async setAlias(alias: string, collection: string): Promise<void> {
    checkName(alias, "alias");
    await this.#core.setAlias(alias, collection);
    this.#forgetNames();
  }

  async removeAlias(alias: string): Promise<void> {
    await this.#core.removeAlias(alias);
    this.#forgetNames();
  }

  async resolve(name: string): Promise<string> {
    this.#aliases ??= this.#core.aliases().then((pairs) => new Map(pairs));
    return (await this.#aliases).get(name) ?? name;
  }

  listCollections(): Promise<CollectionStats[]> {
    return this.#core.listCollections();
  }

  async upsert(
    collection: string,
    items: readonly Item[],
    options: EmbeddingOptions = {},
  ): Promise<ItemStatus[]> {
    const { signal, space } = options;
    const shape = { ...(await this.#shape(collection)), ...(space !== undefined && { space }) };
    const statuses: ItemStatus[] = [];
    for (let start = 0; start < items.length; start += itemsPerCall) {
      if (signal?.aborted) throw cancelled();
      statuses.push(
        ...(await this.#upsertSome(collection, shape, items.slice(start, start + itemsPerCall))),
      );
    }
    return statuses;
  }

  async patch(collection: string, items: readonly ItemPatch[]): Promise<ItemPatched[]> {
    const patched: ItemPatched[] = [];
    for (let from = 0; from < items.length; from += patchesPerCall) {
      const some = items.slice(from, from + patchesPerCall);
      for (const { metadata } of some) checkMetadata(metadata);
      const statuses = await this.#core.patch(collection, some);
      patched.push(
        ...statuses.map((status, i): ItemPatched => {
          const { id } = some[i];
          return typeof status === "string"
            ? { id, status }
            : { id, status: "failed", error: status };
        }),
      );
    }
    return patched;
  }

  async patchWhere(
    collection: string,
    filter: Filter,
    patch: Omit<ItemPatch, "id">,
  ): Promise<{ updated: number; unchanged: number }> {
    const counts = { updated: 0, unchanged: 0, missing: 0 };
    const checked = checkFilter(filter);
    for (let after = 0; ; ) {
      const page = { after, limit: patchesPerCall };
      const found = await this.#core.idsAfter(collection, checked, page);
      const items = found.map(({ id }) => ({ id, ...patch }));
      for (const status of await this.patch(collection, items)) {
        if (status.status !== "failed") counts[status.status]++;
        else {
          const { code, message, param } = status.error;
          throw new AppError(code, `Item "${status.id}": ${message}`, { param });
        }
      }
      const last = found.at(-1);
      if (last === undefined || found.length < patchesPerCall) break;
      after = last.row;
    }
    return { updated: counts.updated, unchanged: counts.unchanged };
  }

  delete(
    collection: string,
    what: { ids: readonly string[] } | { filter: Filter },
  ): Promise<number> {
    const checked = "ids" in what ? { ids: [...what.ids] } : { filter: checkFilter(what.filter) };
    return this.#core.delete(collection, checked);
  }

  async get(collection: string, ids: readonly string[]): Promise<StoredItem[]> {
    return (await this.#core.get(collection, [...ids])).map(itemOf);
  }

  preview(collection: string, id: string): Promise<Preview | undefined> {
    return this.#core.preview(collection, id);
  }

  async contentHashes(collection: string, ids: readonly string[]): Promise<Map<string, string>> {
    return new Map(await this.#core.contentHashes(collection, [...ids]));
  }

  async count(collection: string, filter?: Filter): Promise<number> {
    return this.#core.count(collection, filter && checkFilter(filter));
  }

  async search(
    collection: string,
    queries: readonly Query[],
    options: SearchOptions = {},
  ): Promise<SearchResult[]> {
    const { signal, space, maxAnswerBytes: maxBytes } = options;
    const { dimensions } = await this.#shape(collection);
    if (signal?.aborted) throw cancelled();
    const asked = coreQueries(queries, dimensions);
    const id = this.#nextSearch++;
    const onAbort = () => void this.#core.cancelSearch(id).catch(() => undefined);
    signal?.addEventListener("abort", onAbort, { once: true });
    try {
      const found = await this.#core.search(collection, asked, { space, id, maxBytes });
      return found.map(searchResult);
    } finally {
      signal?.removeEventListener("abort", onAbort);
    }
  }

  async page(
    collection: string,
    { filter, modality, limit, after, space }: PageOptions,
  ): Promise<Page> {
    const position = after === undefined ? 0 : readPageCursor(after);
    const rows = await this.#core.page(collection, position, limit, {
      filter: filter && checkFilter(filter),
      modality: modality && modalities.indexOf(modality),
      space,
    });
    const last = rows.length === limit ? rows[rows.length - 1] : undefined;
    return {
      items: rows.map(itemOf),
      ...(last && { nextCursor: writePageCursor(last.row as number) }),
    };
  }

  async *scan(
    collection: string,
    { batchSize = 500, ...options }: ScanOptions = {},
  ): AsyncIterable<StoredItem> {
    for (let after: string | undefined; ; ) {
      const { items, nextCursor } = await this.page(collection, {
        ...options,
        limit: batchSize,
        after,
      });
      yield* items;
      if (nextCursor === undefined) return;
      after = nextCursor;
    }
  }

  stats(collection: string): Promise<CollectionStats> {
    return this.#core.stats(collection);
  }

  async means(
    collection: string,
  ): Promise<Partial<Record<Modality, { count: number; mean: Float64Array }>>> {
    const sums = await this.#core.means(collection);
    return Object.fromEntries(
      sums.map(([modality, { count, sum }]) => [
        modalities[modality],
        { count, mean: sum.map((x) => x / count) },
      ]),
    );
  }

  backup(file: string): Promise<void> {
    return this.#core.backup(file);
  }

  compact(): Promise<void> {
    return this.#core.compact();
  }

  /** Reads a collection into memory now, so that its first search need not. */
  warmUp(collection: string): Promise<void> {
    return this.#core.warmUp(collection);
  }

  /** Resolves when every graph has caught up with its rows and is on the disk if it is due. */
  settled(): Promise<void> {
    return this.#core.settled();
  }

  async close(): Promise<void> {
    try {
      await this.#worker.close();
    } finally {
      this.#unlock();
    }
  }

  async #upsertSome(
    collection: string,
    shape: { space: string; dimensions: number },
    items: readonly Item[],
  ): Promise<ItemStatus[]> {
    const good: ItemRow[] = [];
    const statuses = items.map((item): ItemStatus => {
      try {
        good.push(rowOf(item, checkItem(item, shape)));
        return { id: item.id, status: "stored", replaced: false };
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        const { code, message, param } = error;
        return { id: item.id, status: "failed", error: { code, message, param } };
      }
    });
    if (good.length === 0) return statuses;
    const buffers = good.map(({ embedding }) => embedding.buffer as ArrayBuffer);
    const replaced = await this.#core.upsert(collection, shape, moving(good, buffers));
    let next = 0;
    return statuses.map((status) =>
      status.status === "stored" ? { ...status, replaced: replaced[next++] } : status,
    );
  }

  #forgetNames(): void {
    this.#shapes.clear();
    this.#aliases = undefined;
  }

  async #shape(name: string): Promise<{ space: string; dimensions: number }> {
    let shape = this.#shapes.get(name);
    if (shape === undefined) {
      const { space, dimensions } = await this.stats(name);
      shape = { space, dimensions };
      this.#shapes.set(name, shape);
    }
    return shape;
  }
}

function rowOf(item: Item, metadata: string | undefined): ItemRow {
  const { id, modality, embedding, original, source, contentHash, preview, text, addedAt } = item;
  const given = addedAt === undefined ? undefined : Date.parse(addedAt);
  return {
    text,
    addedAt: { given, now: Date.now() },
    id,
    modality: modalities.indexOf(modality),
    embedding: unitLength(embedding),
    metadata,
    original: original && { space: original.space, embedding: original.embedding.slice() },
    source,
    contentHash,
    preview: preview && { mediaType: preview.mediaType, bytes: preview.bytes.slice() },
  };
}

function cancelled(): AppError {
  return new AppError("cancelled", "The request was cancelled");
}
