import type { Modality } from "../../encoders/encoder.js";
import { AppError } from "../../errors.js";
import { startWorker, type WorkerHandle } from "../../workers/start-worker.js";
import { checkItem, checkName, checkSpec } from "../check-item.js";
import { checkFilter, type Filter } from "../filter.js";
import type {
  CollectionSpec,
  CollectionStats,
  EmbeddingOptions,
  Item,
  ItemStatus,
  Page,
  PageOptions,
  Preview,
  Query,
  ScanOptions,
  SearchResult,
  StoredItem,
  VectorStore,
} from "../vector-store.js";
import type { CoreOptions, CoreResult } from "./core-types.js";
import { itemOf } from "./item-of-row.js";
import type { ItemRow } from "./item-rows.js";
import { modalities } from "./modality-means.js";
import { coreQueries, readPageCursor, searchResult, writePageCursor } from "./query-codec.js";
import type { Row } from "./sqlite.js";
import { unitLength } from "./unit-length.js";

export interface EmbeddedStoreOptions {
  /** Created when it does not exist. One process at a time. */
  dataDir: string;
  /** Which library builds the graphs. Default `usearch`. */
  engine?: CoreOptions["engine"];
  /** Up to this many items a collection is scanned and has no graph. Default 250,000: about 5 ms at 512 dimensions. */
  scanUpTo?: number;
  /** Up to this many items `high` scans them although there is a graph for `fast`. Default 2,000,000: about 40 ms. */
  scanHighUpTo?: number;
  /** Rows that enter a graph before it is written to the disk again. Default 10,000. */
  snapshotAfter?: number;
  /** Largest database in pages of 16 KB. Default: as large as the disk. */
  maxPages?: number;
}

/** Items sent to the thread at a time: a transaction each, and a few milliseconds of the event loop to copy. */
const itemsPerCall = 250;

/**
 * Opens the embedded driver: SQLite in the data folder is the truth, vectors are searched in memory, all in a worker
 * thread of its own.
 *
 * @throws AppError storage_locked when another process has the folder; storage_failed, storage_corrupt.
 */
export async function openEmbeddedStore(options: EmbeddedStoreOptions): Promise<EmbeddedStore> {
  const limits = { scanUpTo: 250_000, scanHighUpTo: 2_000_000, snapshotAfter: 10_000 };
  const coreOptions: CoreOptions = { engine: "usearch", ...limits, ...options };
  const worker = startWorker(new URL("./store-worker.js", import.meta.url), coreOptions);
  try {
    await worker.call("open", undefined);
  } catch (error) {
    await worker.close();
    throw error;
  }
  return new EmbeddedStore(worker);
}

/** The main thread's side of the embedded driver: checks what comes in, copies it to the thread, shapes what comes back. */
export class EmbeddedStore implements VectorStore {
  readonly #worker: WorkerHandle;
  /** What checking an item needs to know, of the collections that were used lately. */
  readonly #shapes = new Map<string, { space: string; dimensions: number }>();

  constructor(worker: WorkerHandle) {
    this.#worker = worker;
  }

  async createCollection(spec: CollectionSpec): Promise<void> {
    checkSpec(spec);
    await this.#worker.call("createCollection", spec);
  }

  async renameCollection(
    from: string,
    to: string,
    options: { replace?: boolean } = {},
  ): Promise<void> {
    checkName(to);
    this.#shapes.clear();
    await this.#worker.call("renameCollection", { from, to, replace: options.replace ?? false });
    this.#shapes.clear();
  }

  async dropCollection(name: string): Promise<void> {
    await this.#worker.call("dropCollection", name);
    this.#shapes.clear();
  }

  listCollections(): Promise<CollectionStats[]> {
    return this.#worker.call("listCollections", undefined);
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

  delete(
    collection: string,
    what: { ids: readonly string[] } | { filter: Filter },
  ): Promise<number> {
    const checked = "ids" in what ? { ids: [...what.ids] } : { filter: checkFilter(what.filter) };
    return this.#worker.call("delete", { name: collection, what: checked });
  }

  async get(collection: string, ids: readonly string[]): Promise<StoredItem[]> {
    return (await this.#worker.call<Row[]>("get", { name: collection, ids: [...ids] })).map(itemOf);
  }

  preview(collection: string, id: string): Promise<Preview | undefined> {
    return this.#worker.call("preview", { name: collection, id });
  }

  async contentHashes(collection: string, ids: readonly string[]): Promise<Map<string, string>> {
    return new Map(
      await this.#worker.call<[string, string][]>("contentHashes", {
        name: collection,
        ids: [...ids],
      }),
    );
  }

  async count(collection: string, filter?: Filter): Promise<number> {
    return this.#worker.call("count", { name: collection, filter: filter && checkFilter(filter) });
  }

  async search(
    collection: string,
    queries: readonly Query[],
    options: EmbeddingOptions = {},
  ): Promise<SearchResult[]> {
    const { signal, space } = options;
    const { dimensions } = await this.#shape(collection);
    if (signal?.aborted) throw cancelled();
    const args = { name: collection, space, queries: coreQueries(queries, dimensions) };
    return (await this.#worker.call<CoreResult[]>("search", args)).map(searchResult);
  }

  async page(
    collection: string,
    { filter, modality, limit, after, space }: PageOptions,
  ): Promise<Page> {
    const rows = await this.#worker.call<Row[]>("page", {
      name: collection,
      after: after === undefined ? 0 : readPageCursor(after),
      limit,
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
    return this.#worker.call("stats", collection);
  }

  async means(
    collection: string,
  ): Promise<Partial<Record<Modality, { count: number; mean: Float64Array }>>> {
    const sums = await this.#worker.call<[number, { count: number; sum: Float64Array }][]>(
      "means",
      collection,
    );
    return Object.fromEntries(
      sums.map(([modality, { count, sum }]) => [
        modalities[modality],
        { count, mean: sum.map((x) => x / count) },
      ]),
    );
  }

  backup(file: string): Promise<void> {
    return this.#worker.call("backup", file);
  }

  compact(): Promise<void> {
    return this.#worker.call("compact", undefined);
  }

  /** Reads a collection into memory now, so that its first search need not. */
  warmUp(collection: string): Promise<void> {
    return this.#worker.call("warmUp", collection);
  }

  /** Resolves when every graph has caught up with its rows and is on the disk if it is due. */
  settled(): Promise<void> {
    return this.#worker.call("settled", undefined);
  }

  close(): Promise<void> {
    return this.#worker.close();
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
    const args = { name: collection, ...shape, items: good };
    const transfer = good.map(({ embedding }) => embedding.buffer as ArrayBuffer);
    const replaced = await this.#worker.call<boolean[]>("upsert", args, { transfer });
    let next = 0;
    return statuses.map((status) =>
      status.status === "stored" ? { ...status, replaced: replaced[next++] } : status,
    );
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

function rowOf(item: Item, metadata: string): ItemRow {
  const { id, modality, embedding, original, source, contentHash, preview } = item;
  return {
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
