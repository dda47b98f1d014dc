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
import type { Query, SearchResult } from "./query.js";

/** What a collection is: fixed when it is created. */
export interface CollectionSpec {
  /** 1 to 64 letters, digits, `_`, `-` or `.`, starting with a letter or digit. */
  name: string;
  /** Every embedding in the collection lives in this space. */
  space: string;
  dimensions: number;
  /**
   * Metadata fields (dot paths, as in a filter) that filters will ask for often: each gets an
   * index.
   */
  fields?: string[];
  /** Kept and given back as it came; the store does not read it. */
  options?: JsonObject;
}

export interface ScanOptions {
  filter?: Filter;
  modality?: Modality;
  /** Items read from the disk at a time. Default 500. */
  batchSize?: number;
  /** As for a page. */
  space?: string;
}

export interface PageOptions {
  filter?: Filter;
  modality?: Modality;
  /** Most items of the page. */
  limit: number;
  /** `nextCursor` of the page before. */
  after?: string;
  /**
   * The space the embeddings are taken for: `conflict` when the collection was replaced by one of
   * another space meanwhile.
   */
  space?: string;
}

/** Oldest first. */
export interface Page {
  items: StoredItem[];
  /** Present when there may be more. */
  nextCursor?: string;
}

export interface EmbeddingOptions {
  signal?: AbortSignal;
  /**
   * The space the embeddings were made for: `conflict` when the collection was replaced by one of
   * another space meanwhile.
   */
  space?: string;
}

export interface SearchOptions extends EmbeddingOptions {
  /** Bytes that all results may have together, as JSON, about. No limit by default. */
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
 * What was written to a collection since the last look. What was done by filter comes before the
 * ids are looked at again.
 */
export interface Changes {
  ids: Set<string>;
  /** In order: items were deleted, or with a patch got other metadata. */
  byFilter: { filter: Filter; patch?: Omit<ItemPatch, "id"> }[];
}

/** Follows the writes to one collection, of whatever process, for whoever builds a copy of it. */
export interface Watch {
  /** The changes since the last call; those of writes that have ended. */
  take(): Promise<Changes>;
  /**
   * Lets the writes under way end and holds back those that come while `catchUp` carries the last
   * changes over; then the copy takes the collection's place, in one moment. `catchUp` may use the
   * store. When it fails, everything stays as it was.
   */
  replaceBy(copy: string, catchUp: (last: Changes) => Promise<void>): Promise<void>;
  /** Ends it; after `replaceBy` there is nothing left to do. */
  end(): Promise<void>;
}

/** What the store cannot do at present, and why; empty when it can do everything. */
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
   * Gives a collection another name. With `replace` a collection that has this name goes away in
   * the same moment: how a collection that was built anew (under a new head, say) takes the place
   * of the old one.
   */
  renameCollection(from: string, to: string, options?: { replace?: boolean }): Promise<void>;
  /** `conflict` for one that aliases lead to, and by an alias. */
  dropCollection(name: string): Promise<void>;
  /** Declares other metadata fields than until now. */
  setFields(collection: string, fields: readonly string[]): Promise<void>;
  /**
   * Gives a collection a further name, or leads an alias to another collection, in one moment.
   * Every method that takes a collection's name takes an alias too, but those that make, rename
   * and drop collections.
   */
  setAlias(alias: string, collection: string): Promise<void>;
  /** `not_found` for what is no alias. */
  removeAlias(alias: string): Promise<void>;
  /** The name of the collection that an alias leads to; any other name as it is. */
  resolve(name: string): Promise<string>;
  /** In the order of their names. */
  listCollections(): Promise<CollectionStats[]>;

  /**
   * One status per item, in order. Items that fail a check do not reach the disk; the others do.
   */
  upsert(
    collection: string,
    items: readonly Item[],
    options?: EmbeddingOptions,
  ): Promise<ItemStatus[]>;
  /**
   * Changes metadata alone: nothing is embedded or searched anew. One status per item, in order.
   */
  patch(collection: string, items: readonly ItemPatch[]): Promise<ItemPatched[]>;
  /** The same for every item that fulfils the filter. @throws AppError of the first that fails. */
  patchWhere(
    collection: string,
    filter: Filter,
    patch: Omit<ItemPatch, "id">,
  ): Promise<{ updated: number; unchanged: number }>;
  /** @returns how many items are gone. */
  delete(
    collection: string,
    what: { ids: readonly string[] } | { filter: Filter },
  ): Promise<number>;
  /** The items that exist, in the order of `ids`. */
  get(collection: string, ids: readonly string[]): Promise<StoredItem[]>;
  preview(collection: string, id: string): Promise<Preview | undefined>;
  /**
   * Content hashes of the items that exist and have one: what `add` needs to skip unchanged files.
   */
  contentHashes(collection: string, ids: readonly string[]): Promise<Map<string, string>>;
  count(collection: string, filter?: Filter): Promise<number>;

  /** One result per query, in order. `too_large` when they are larger than `maxAnswerBytes`. */
  search(
    collection: string,
    queries: readonly Query[],
    options?: SearchOptions,
  ): Promise<SearchResult[]>;
  page(collection: string, options: PageOptions): Promise<Page>;
  /**
   * Every item, oldest first. An item replaced during the scan may come twice, its newest state
   * last; none that was there when the scan began is missed.
   */
  scan(collection: string, options?: ScanOptions): AsyncIterable<StoredItem>;
  stats(collection: string): Promise<CollectionStats>;
  /** One at a time of a collection. */
  watch(collection: string): Promise<Watch>;

  /**
   * Writes a consistent copy of everything to a new file while the store is in use; `invalid_input`
   * where the database has tools of its own for that.
   */
  backup(file: string): Promise<void>;
  /**
   * Gives the disk space of deleted items back, recomputes the means, rebuilds graphs with many
   * deleted items.
   */
  compact(): Promise<void>;
  close(): Promise<void>;
}
