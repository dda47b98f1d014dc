import { AppError } from "../../errors.js";
import { type Remote, remoteOf } from "../../workers/remote.js";
import type { SupervisedWorker } from "../../workers/supervise.js";
import { checkFields, checkName, checkSpec } from "../check-item.js";
import { checkFilter, type Filter } from "../filter.js";
import type {
  Item,
  ItemPatch,
  ItemPatched,
  ItemStatus,
  JsonObject,
  Preview,
  StoredItem,
} from "../item.js";
import { checkedPage, metadataPage } from "../metadata-page.js";
import { modalities } from "../modalities.js";
import { pageOrders } from "../page-order.js";
import type { Query, SearchResult } from "../query.js";
import { coreQueries, readPageCursor, searchResult, writePageCursor } from "../query-codec.js";
import { scanPages } from "../scan-pages.js";
import type {
  CollectionSpec,
  CollectionStats,
  EmbeddingOptions,
  MetadataOptions,
  MetadataPage,
  Page,
  PageOptions,
  ScanOptions,
  SearchOptions,
  StoreCondition,
  VectorStore,
} from "../vector-store.js";
import { CollectionNames } from "./collection-names.js";
import { itemOf } from "./item-of-row.js";
import { patchItems, patchWhere } from "./patch-items.js";
import type { StoreCore } from "./store-core.js";
import { upsertItems } from "./upsert-items.js";

/**
 * The main thread's side of the embedded driver: checks inputs, copies them to the thread, and
 * shapes the results.
 */
export class EmbeddedStore implements Omit<VectorStore, "watch"> {
  readonly #worker: SupervisedWorker;
  readonly #core: Remote<StoreCore>;
  readonly #unlock: () => void;
  #nextSearch = 0;
  readonly #names: CollectionNames;

  constructor(worker: SupervisedWorker, unlock: () => void) {
    this.#worker = worker;
    this.#core = remoteOf<StoreCore>(worker);
    this.#names = new CollectionNames(this.#core);
    this.#unlock = unlock;
  }

  /** Operations that currently fail, and why. */
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
    this.#names.forget();
    await this.#core.renameCollection(from, to, options.replace ?? false);
    this.#names.forget();
  }

  async dropCollection(name: string): Promise<void> {
    await this.#core.dropCollection(name);
    this.#names.forget();
  }

  async setFields(collection: string, fields: readonly string[]): Promise<void> {
    checkFields(fields);
    await this.#core.setFields(collection, fields);
  }

  setOptions(collection: string, options: JsonObject): Promise<void> {
    return this.#core.setOptions(collection, options);
  }

  async setAlias(alias: string, collection: string): Promise<void> {
    checkName(alias, "alias");
    await this.#core.setAlias(alias, collection);
    this.#names.forget();
  }

  async removeAlias(alias: string): Promise<void> {
    await this.#core.removeAlias(alias);
    this.#names.forget();
  }

  resolve(name: string): Promise<string> {
    return this.#names.resolve(name);
  }

  listCollections(): Promise<CollectionStats[]> {
    return this.#core.listCollections();
  }

  async upsert(
    collection: string,
    items: readonly Item[],
    { signal, space }: EmbeddingOptions = {},
  ): Promise<ItemStatus[]> {
    const shape = {
      ...(await this.#names.shape(collection)),
      ...(space !== undefined && { space }),
    };
    return upsertItems(this.#core, collection, items, { shape, signal });
  }

  patch(collection: string, items: readonly ItemPatch[]): Promise<ItemPatched[]> {
    return patchItems(this.#core, collection, items);
  }

  patchWhere(collection: string, filter: Filter, patch: Omit<ItemPatch, "id">) {
    return patchWhere(this.#core, collection, checkFilter(filter), patch);
  }

  delete(
    collection: string,
    selection: { ids: readonly string[] } | { filter: Filter },
  ): Promise<number> {
    const checked =
      "ids" in selection ? { ids: [...selection.ids] } : { filter: checkFilter(selection.filter) };
    return this.#core.delete(collection, checked);
  }

  async get(collection: string, ids: readonly string[]): Promise<StoredItem[]> {
    return (await this.#core.get(collection, [...ids])).map(itemOf);
  }

  preview(collection: string, id: string): Promise<Preview | undefined> {
    return this.#core.preview(collection, id);
  }

  async previews(collection: string, ids: readonly string[]): Promise<Map<string, Preview>> {
    const found = await Promise.all(ids.map((id) => this.preview(collection, id)));
    return new Map(ids.flatMap((id, i) => (found[i] === undefined ? [] : [[id, found[i]]])));
  }

  async contentHashes(collection: string, ids: readonly string[]): Promise<Map<string, string>> {
    return new Map(await this.#core.contentHashes(collection, [...ids]));
  }

  mediaInUse(hashes: readonly string[]): Promise<string[]> {
    return this.#core.mediaInUse([...hashes]);
  }

  takeReleasedMedia(): Promise<string[]> {
    return this.#core.takeReleasedMedia();
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
    const { dimensions } = await this.#names.shape(collection);
    if (signal?.aborted) throw new AppError("cancelled", "The request was cancelled");
    const checkedQueries = coreQueries(queries, dimensions);
    const id = this.#nextSearch++;
    const onAbort = () => void this.#core.cancelSearch(id).catch(() => undefined);
    signal?.addEventListener("abort", onAbort, { once: true });
    try {
      const found = await this.#core.search(collection, checkedQueries, { space, id, maxBytes });
      return found.map((result, i) => searchResult(result, checkedQueries[i]));
    } finally {
      signal?.removeEventListener("abort", onAbort);
    }
  }

  async page(
    collection: string,
    { filter, modality, order = "oldest", limit, after, space }: PageOptions,
  ): Promise<Page> {
    const settings = { filter: filter && checkFilter(filter), modality, order };
    const rows = await this.#core.page(collection, {
      ...{ ...settings, limit, space, after: readPageCursor(after, settings) },
      modality: modality && modalities.indexOf(modality),
    });
    const { by } = pageOrders[order];
    const last = rows.length < limit ? undefined : (rows.at(-1)?.[by] as number | string);
    return {
      items: rows.map(itemOf),
      ...(last !== undefined && { nextCursor: writePageCursor(last, settings) }),
    };
  }

  async metadata(collection: string, options: MetadataOptions): Promise<MetadataPage> {
    return metadataPage(await this.#core.metadata(collection, checkedPage(options)), options);
  }

  scan(collection: string, options?: ScanOptions): AsyncIterable<StoredItem> {
    return scanPages(this, collection, options);
  }

  stats(collection: string): Promise<CollectionStats> {
    return this.#core.stats(collection);
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

  /** Resolves when every graph has caught up with its rows and any due snapshot is written. */
  whenIndexed(): Promise<void> {
    return this.#core.whenIndexed();
  }

  async close(): Promise<void> {
    try {
      await this.#worker.close();
    } finally {
      this.#unlock();
    }
  }
}
