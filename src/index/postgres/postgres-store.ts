import { AppError } from "../../errors.js";
import { checkFields, checkName, checkSpec } from "../check-item.js";
import { checkFilter, type Filter } from "../filter.js";
import type { JsonObject, Preview, StoredItem } from "../item.js";
import { checkedPage, metadataPage } from "../metadata-page.js";
import { modalities } from "../modalities.js";
import type { Query, SearchResult } from "../query.js";
import { readPageCursor, writePageCursor } from "../query-codec.js";
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
  Watch,
} from "../vector-store.js";
import { watchCollection } from "./change-log.js";
import * as collections from "./collection-rows.js";
import { collectionStats } from "./collection-stats.js";
import { compact } from "./compact.js";
import type { Connection, Connections } from "./connections.js";
import type { ServerCopies } from "./copies/server-copies.js";
import type { GraphUpkeep } from "./graph-upkeep.js";
import * as reads from "./item-reads.js";
import type { ItemWriter } from "./item-writer.js";
import { mediaInUse, someMedia, takeReleasedMedia } from "./media.js";
import { search } from "./search.js";
import type { ScanLimits } from "./search-plan.js";

interface StoreParts {
  connections: Connections;
  upkeep: GraphUpkeep;
  copies: ServerCopies;
  writer: ItemWriter;
  limits: ScanLimits;
  onClose?: () => void;
}

/** Collections in PostgreSQL with pgvector: the same for every server that uses the database. */
export class PostgresStore implements VectorStore {
  readonly #connections: Connections;
  readonly #parts: StoreParts;

  constructor(parts: StoreParts) {
    this.#connections = parts.connections;
    this.#parts = parts;
  }

  /** Why it cannot be used at the moment. */
  get trouble(): string | undefined {
    return this.#connections.trouble;
  }

  /** Asks the database, so that `trouble` is up to date. */
  async condition(): Promise<StoreCondition> {
    await this.#connections.read((db) => db.query("select")).catch(() => undefined);
    return {};
  }

  async createCollection(spec: CollectionSpec): Promise<void> {
    checkSpec(spec);
    await this.#connections.write((db) => collections.createCollection(db, spec));
  }

  async renameCollection(
    from: string,
    to: string,
    { replace = false }: { replace?: boolean } = {},
  ): Promise<void> {
    checkName(to);
    await this.#connections.write((db) => collections.renameCollection(db, { from, to, replace }));
  }

  async dropCollection(name: string): Promise<void> {
    await this.#connections.write((db) => collections.dropByName(db, name));
  }

  async setFields(collection: string, fields: readonly string[]): Promise<void> {
    checkFields(fields);
    await this.#connections.write((db) => collections.setFields(db, collection, fields));
  }

  async setOptions(collection: string, options: JsonObject): Promise<void> {
    await this.#connections.write((db) => collections.setOptions(db, collection, options));
  }

  async setAlias(alias: string, collection: string): Promise<void> {
    checkName(alias, "alias");
    await this.#connections.write((db) => collections.setAlias(db, alias, collection));
  }

  async removeAlias(alias: string): Promise<void> {
    await this.#connections.write((db) => collections.removeAlias(db, alias));
  }

  resolve(name: string): Promise<string> {
    return this.#connections.readAnywhere(
      async (db) => (await collections.findCollection(db, name))?.name ?? name,
    );
  }

  listCollections(): Promise<CollectionStats[]> {
    return this.#connections.readAnywhere(async (db) => {
      const stats: CollectionStats[] = [];
      for (const row of await collections.listCollections(db))
        stats.push(await collectionStats(db, row));
      return stats;
    });
  }

  stats(collection: string): Promise<CollectionStats> {
    return this.#read(collection, (db, row) => collectionStats(db, row));
  }

  upsert(...args: Parameters<ItemWriter["upsert"]>) {
    return this.#parts.writer.upsert(...args);
  }

  patch(...args: Parameters<ItemWriter["patch"]>) {
    return this.#parts.writer.patch(...args);
  }

  patchWhere(...args: Parameters<ItemWriter["patchWhere"]>) {
    return this.#parts.writer.patchWhere(...args);
  }

  delete(...args: Parameters<ItemWriter["delete"]>) {
    return this.#parts.writer.delete(...args);
  }

  get(collection: string, ids: readonly string[]): Promise<StoredItem[]> {
    return this.#read(collection, (db, { n }) => reads.itemsById(db, n, ids));
  }

  async preview(collection: string, id: string): Promise<Preview | undefined> {
    return (await this.previews(collection, [id])).get(id);
  }

  previews(collection: string, ids: readonly string[]): Promise<Map<string, Preview>> {
    return this.#read(collection, (db, { n }) => reads.previewsOf(db, n, ids));
  }

  contentHashes(collection: string, ids: readonly string[]): Promise<Map<string, string>> {
    return this.#read(collection, (db, { n }) => reads.contentHashes(db, n, ids));
  }

  async count(collection: string, filter?: Filter): Promise<number> {
    if (filter === undefined) return (await this.stats(collection)).count;
    const checked = checkFilter(filter);
    return this.#read(collection, (db, { n }) => reads.countItems(db, n, checked));
  }

  mediaInUse(hashes: readonly string[]): Promise<string[]> {
    return this.#connections.read((db) => mediaInUse(db, hashes));
  }

  someMedia(limit: number) {
    return this.#connections.read((db) => someMedia(db, limit));
  }

  takeReleasedMedia(): Promise<string[]> {
    return this.#connections.write(takeReleasedMedia);
  }

  async search(
    collection: string,
    queries: readonly Query[],
    options: SearchOptions = {},
  ): Promise<SearchResult[]> {
    const { copies, limits } = this.#parts;
    const parts = { connections: this.#connections, copies, limits };
    return search(parts, collection, queries, options);
  }

  async page(
    collection: string,
    { filter, modality, order = "oldest", limit, after, space }: PageOptions,
  ): Promise<Page> {
    const settings = { filter: filter && checkFilter(filter), modality, order };
    const page = {
      ...{ ...settings, limit, after: readPageCursor(after, settings) },
      modality: modality && modalities.indexOf(modality),
    };
    const read = (db: Connection, { n }: { n: number }) => reads.pageOfItems(db, n, page);
    const { items, last } = await this.#read(collection, read, { space });
    return { items, ...(last !== undefined && { nextCursor: writePageCursor(last, settings) }) };
  }

  metadata(collection: string, options: MetadataOptions): Promise<MetadataPage> {
    const page = checkedPage(options);
    return this.#read(collection, async (db, { n }) =>
      metadataPage(await reads.metadataOf(db, n, page), options),
    );
  }

  scan(collection: string, options?: ScanOptions): AsyncIterable<StoredItem> {
    return scanPages(this, collection, options);
  }

  watch(collection: string): Promise<Watch> {
    return watchCollection(this.#connections, collection);
  }

  async backup(): Promise<void> {
    const message = "Collections are in PostgreSQL: back them up with pg_dump or pg_basebackup";
    throw new AppError("invalid_input", message);
  }

  compact(): Promise<void> {
    return compact(this.#connections, this.#parts.upkeep);
  }

  /** Resolves when every graph that is due is built, and no copy is being made or refreshed. */
  async whenIndexed(): Promise<void> {
    await this.#parts.upkeep.whenIndexed();
    await this.#parts.copies.whenIdle();
  }

  async close(): Promise<void> {
    try {
      await Promise.all([this.#parts.copies.close(), this.#parts.upkeep.close()]);
      await this.#connections.close();
    } finally {
      this.#parts.onClose?.();
    }
  }

  #read<T>(
    name: string,
    work: (db: Connection, row: collections.CollectionRow) => Promise<T>,
    { space, signal }: EmbeddingOptions = {},
  ): Promise<T> {
    const read = async (db: Connection) =>
      work(db, await collections.getCollection(db, name, { space }));
    return this.#connections.readAnywhere(read, { signal });
  }
}
