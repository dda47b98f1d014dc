import type { Modality } from "../encoders/encoder.js";
import type { Filter } from "./filter.js";
import type {
  Item,
  ItemPatch,
  ItemPatched,
  ItemStatus,
  JsonObject,
  Preview,
  StoredItem,
} from "./item.js";
import type { PageOrder } from "./page-order.js";
import type { PatchedWhere } from "./patched-where.js";
import type { Query, SearchResult } from "./query.js";

/** What a collection is: fixed when it is created. */
export interface CollectionSpec {
  /** 1 to 64 letters, digits, `_`, `-` or `.`, starting with a letter or digit. */
  name: string;
  /** Every embedding in the collection lives in this space. */
  space: string;
  dimensions: number;
  /**
   * Metadata fields (dot paths, as in a filter) that filters use often: each gets an index.
   */
  fields?: string[];
  /** Kept and returned unchanged; the store does not read it. */
  options?: JsonObject;
}

export interface ScanOptions {
  filter?: Filter;
  modality?: Modality;
  /** Items read from disk at a time. Default 500. */
  batchSize?: number;
  /** As for a page. */
  space?: string;
}

export interface PageOptions {
  filter?: Filter;
  modality?: Modality;
  /** Default: the oldest first. */
  order?: PageOrder;
  /** Most items of the page. */
  limit: number;
  /** `nextCursor` of the previous page. */
  after?: string;
  /**
   * The expected space of the embeddings: `conflict` when the collection was replaced by one of
   * another space.
   */
  space?: string;
}

export interface MetadataOptions {
  filter?: Filter;
  modality?: Modality;
  limit: number;
  before?: number;
}

export interface MetadataPage {
  ids: string[];
  /** In the order of the ids. */
  metadata: JsonObject[];
  /** Present when there may be more. */
  next?: number;
}

export interface Page {
  items: StoredItem[];
  /** Present when there may be more. */
  nextCursor?: string;
}

export interface EmbeddingOptions {
  signal?: AbortSignal;
  /**
   * The space of the embeddings: `conflict` when the collection was replaced by one of another
   * space.
   */
  space?: string;
}

export interface SearchOptions extends EmbeddingOptions {
  /** Approximate size limit of all results together, as JSON. No limit by default. */
  maxAnswerBytes?: number;
}

export interface CollectionStats {
  name: string;
  space: string;
  dimensions: number;
  fields: string[];
  options: JsonObject;
  /** Further names, in alphabetical order. */
  aliases: string[];
  /** ISO 8601. */
  createdAt: string;
  count: number;
  countByModality: Partial<Record<Modality, number>>;
  index: {
    engine: string;
    /** `none`: too small to need a graph. */
    state: "none" | "building" | "ready";
    /** Items found through the graph; the others are scanned until they are in it. */
    indexed: number;
  };
}

/**
 * The writes to a collection since the last call. Changes by filter are applied before the ids are
 * read again.
 */
export interface Changes {
  ids: Set<string>;
  /** In order: deletions, and metadata patches. */
  byFilter: { filter: Filter; patch?: Omit<ItemPatch, "id"> }[];
}

/** Follows the writes to one collection, by any process, for a job that builds a copy of it. */
export interface Watch {
  /** The changes since the last call; those of writes that have ended. */
  take(): Promise<Changes>;
  /**
   * Lets running writes end and holds back new ones while `catchUp` carries over the last changes;
   * then the copy takes the collection's place, in one moment. `catchUp` may use the store. When it
   * fails, everything stays as it was.
   */
  replaceBy(copy: string, catchUp: (last: Changes) => Promise<void>): Promise<void>;
  /** Ends the watch; after `replaceBy` there is nothing left to do. */
  end(): Promise<void>;
}

/** Operations that currently fail, and why; empty when everything works. */
export interface StoreCondition {
  /** Nothing can be stored; what is stored can be read and deleted. */
  cannotWrite?: string;
  /** A file is damaged, so that answers may be missing. */
  damaged?: string;
}

/**
 * Collections of items and the search in them: the contract of every driver, held by
 * test/index/contract.ts.
 *
 * A promise of a write resolves when the write is durable: it survives a kill and a power cut.
 * Errors are AppErrors: `not_found` (collection or query item), `already_exists`, `conflict`,
 * `invalid_input`, `storage_full`, `storage_locked`, `storage_unavailable`, `storage_corrupt`,
 * `storage_failed`, `cancelled`.
 */
export interface VectorStore {
  createCollection(spec: CollectionSpec): Promise<void>;
  /**
   * Renames a collection. With `replace`, a collection of the new name is dropped atomically: this
   * is how a rebuilt collection (under a new head, for example) replaces the old one.
   */
  renameCollection(from: string, to: string, options?: { replace?: boolean }): Promise<void>;
  /** `conflict` for one with aliases, and for an alias. */
  dropCollection(name: string): Promise<void>;
  /** Changes the declared metadata fields. */
  setFields(collection: string, fields: readonly string[]): Promise<void>;
  /** Changes some of a collection's options; the others stay. */
  setOptions(collection: string, options: JsonObject): Promise<void>;
  /**
   * Adds an alias of a collection, or atomically points one to another collection. Every method
   * that takes a collection's name also takes an alias, except those that create, rename and drop
   * collections.
   */
  setAlias(alias: string, collection: string): Promise<void>;
  /** `not_found` when it is not an alias. */
  removeAlias(alias: string): Promise<void>;
  /** The name of the collection behind an alias; any other name unchanged. */
  resolve(name: string): Promise<string>;
  /** In the order of their names. */
  listCollections(): Promise<CollectionStats[]>;

  /**
   * One status per item, in order. Items that fail a check are not stored; the others are.
   */
  upsert(
    collection: string,
    items: readonly Item[],
    options?: EmbeddingOptions,
  ): Promise<ItemStatus[]>;
  /**
   * Changes metadata only: nothing is embedded again. One status per item, in order.
   */
  patch(collection: string, items: readonly ItemPatch[]): Promise<ItemPatched[]>;
  /** The same for every item that matches the filter. */
  patchWhere(
    collection: string,
    filter: Filter,
    patch: Omit<ItemPatch, "id">,
  ): Promise<PatchedWhere>;
  /** @returns how many items are gone. */
  delete(
    collection: string,
    selection: { ids: readonly string[] } | { filter: Filter },
  ): Promise<number>;
  /** The items that exist, in the order of `ids`. */
  get(collection: string, ids: readonly string[]): Promise<StoredItem[]>;
  preview(collection: string, id: string): Promise<Preview | undefined>;
  /** By id, of the items that exist and have one. */
  previews(collection: string, ids: readonly string[]): Promise<Map<string, Preview>>;
  /**
   * Content hashes of the items that exist and have one: `add` needs them to skip unchanged files.
   */
  contentHashes(collection: string, ids: readonly string[]): Promise<Map<string, string>>;
  count(collection: string, filter?: Filter): Promise<number>;
  /** Of these hashes of kept media those that an item of any collection refers to. */
  mediaInUse(hashes: readonly string[]): Promise<string[]>;
  /**
   * Hashes of kept media that no item refers to any more, each returned once: what deletions since
   * the last call have left behind, except for those before a crash.
   */
  takeReleasedMedia(): Promise<string[]>;

  /** One result per query, in order. `too_large` when they are larger than `maxAnswerBytes`. */
  search(
    collection: string,
    queries: readonly Query[],
    options?: SearchOptions,
  ): Promise<SearchResult[]>;
  page(collection: string, options: PageOptions): Promise<Page>;
  /** Ids and metadata alone of a page, newest first; `next` is the `before` of the page after. */
  metadata(collection: string, options: MetadataOptions): Promise<MetadataPage>;
  /**
   * Every item, oldest first. An item replaced during the scan may come twice, its newest state
   * last; none that existed when the scan started is missed.
   */
  scan(collection: string, options?: ScanOptions): AsyncIterable<StoredItem>;
  stats(collection: string): Promise<CollectionStats>;
  /** One at a time of a collection. */
  watch(collection: string): Promise<Watch>;

  /**
   * Writes a consistent copy of everything to a new file while the store is in use; `invalid_input`
   * where the database has its own tools for that.
   */
  backup(file: string): Promise<void>;
  /**
   * Frees the disk space of deleted items, recomputes the means, and rebuilds graphs with many
   * deleted items.
   */
  compact(): Promise<void>;
  close(): Promise<void>;
}
