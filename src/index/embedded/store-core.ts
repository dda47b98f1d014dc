import { checkSpace } from "../check-space.js";
import type { CoreQuery, CoreResult } from "../core-query.js";
import type { Filter } from "../filter.js";
import type { Failure, PatchStatus } from "../item.js";
import type { CollectionStats, StoreCondition } from "../vector-store.js";
import { searchAnswerer } from "./answer-queries.js";
import { writeBackup } from "./backup-file.js";
import { CheckedDatabase } from "./checked-database.js";
import { type CollectionRow, CollectionRows } from "./collection-rows.js";
import { collectionStats } from "./collection-stats.js";
import { CollectionWriter } from "./collection-writer.js";
import type { CoreOptions } from "./core-types.js";
import { graphEngines } from "./graph-engines.js";
import { IndexKeeper } from "./index-keeper.js";
import { ItemChanges } from "./item-changes.js";
import { ItemRows } from "./item-rows.js";
import { ItemWriter } from "./item-writer.js";
import { MediaRows } from "./media-rows.js";
import { recomputeMeans } from "./modality-means.js";
import { Pace } from "./pace.js";
import { finishRestore } from "./restore-backup.js";
import { type SearchCallOptions, SearchQueue } from "./search-queue.js";
import type { Database, Row } from "./sqlite.js";
import { StoreUpkeep } from "./store-upkeep.js";
import { WriteQueue } from "./write-queue.js";

/**
 * The embedded driver, inside its worker thread: the only owner of the database, the vectors in
 * memory and the graphs. Everything here is synchronous between two turns of the event loop, so no
 * write ever sees another one half applied.
 */
export class StoreCore {
  readonly #database: CheckedDatabase;
  readonly #db: Database;
  readonly #upkeep: StoreUpkeep;
  readonly #collections: CollectionRows;
  readonly #items: ItemRows;
  readonly #media: MediaRows;
  readonly #writes: WriteQueue;
  readonly #engine: string;
  readonly #indexes: IndexKeeper;
  readonly #collectionWriter: CollectionWriter;
  readonly #writer: ItemWriter;
  readonly #searches: SearchQueue;
  readonly #notes: string[] = [];
  readonly #pace = new Pace();

  /** The caller holds the data folder's lock. */
  static async open(options: CoreOptions): Promise<StoreCore> {
    return new StoreCore(options);
  }

  private constructor(options: CoreOptions) {
    const engine = graphEngines[options.engine]();
    this.#engine = engine.name;
    finishRestore(options.dataDir);
    this.#database = CheckedDatabase.open(options.dataDir, {
      maxPages: options.maxPages,
      wasUsed: options.wasUsed,
      note: (message) => this.#notes.push(message),
    });
    this.#db = this.#database.db;
    this.#upkeep = new StoreUpkeep(this.#database, options.dataDir);
    this.#media = new MediaRows(this.#db);
    this.#collections = new CollectionRows(this.#db, this.#media);
    this.#items = new ItemRows(this.#db);
    this.#writes = new WriteQueue(this.#db, this.#upkeep);
    this.#indexes = new IndexKeeper(this.#collections, this.#items, {
      ...options,
      engine,
      pace: this.#pace,
    });
    this.#collectionWriter = new CollectionWriter(this.#collections, this.#writes, this.#indexes);
    this.#writer = new ItemWriter({
      collections: this.#collections,
      items: this.#items,
      changes: new ItemChanges(this.#db, this.#media),
      writes: this.#writes,
      indexes: this.#indexes,
    });
    this.#searches = new SearchQueue(
      searchAnswerer(this.#db, this.#collections, this.#items, this.#indexes),
    );
  }

  createCollection(...args: Parameters<CollectionWriter["create"]>): Promise<void> {
    return this.#collectionWriter.create(...args);
  }

  renameCollection(...args: Parameters<CollectionWriter["rename"]>): Promise<void> {
    return this.#collectionWriter.rename(...args);
  }

  dropCollection(...args: Parameters<CollectionWriter["drop"]>): Promise<void> {
    return this.#collectionWriter.drop(...args);
  }

  setFields(...args: Parameters<CollectionWriter["setFields"]>): Promise<void> {
    return this.#collectionWriter.setFields(...args);
  }

  setOptions(...args: Parameters<CollectionWriter["setOptions"]>): Promise<void> {
    return this.#collectionWriter.setOptions(...args);
  }

  setAlias(...args: Parameters<CollectionWriter["setAlias"]>): Promise<void> {
    return this.#collectionWriter.setAlias(...args);
  }

  removeAlias(...args: Parameters<CollectionWriter["removeAlias"]>): Promise<void> {
    return this.#collectionWriter.removeAlias(...args);
  }

  aliases(): [alias: string, collection: string][] {
    return this.#collections.aliases();
  }

  listCollections(): CollectionStats[] {
    return this.#collections.list().map((row) => this.#statsOf(row));
  }

  stats(name: string): CollectionStats {
    return this.#statsOf(this.#collections.get(name));
  }

  /** @returns per item whether it replaced another. */
  upsert(...args: Parameters<ItemWriter["upsert"]>): Promise<boolean[]> {
    return this.#writer.upsert(...args);
  }

  /** @returns the outcome for each item, or its error. */
  patch(...args: Parameters<ItemWriter["patch"]>): Promise<(PatchStatus | Failure)[]> {
    return this.#writer.patch(...args);
  }

  delete(...args: Parameters<ItemWriter["delete"]>): Promise<number> {
    return this.#writer.delete(...args);
  }

  idsAfter(name: string, filter: Filter, page: { after: number; limit: number }) {
    return this.#items.idsAfter(this.#collections.get(name).collection, filter, page);
  }

  get(name: string, ids: readonly string[]): Row[] {
    return this.#items.byRows(this.#items.rowsOfIds(this.#collections.get(name).collection, ids));
  }

  preview(name: string, id: string) {
    const [row] = this.#items.rowsOfIds(this.#collections.get(name).collection, [id]);
    return row === undefined ? undefined : this.#items.preview(row);
  }

  contentHashes(name: string, ids: readonly string[]): [id: string, hash: string][] {
    return this.#items.contentHashes(this.#collections.get(name).collection, ids);
  }

  mediaInUse(hashes: readonly string[]): string[] {
    return this.#media.inUse(hashes);
  }

  takeReleasedMedia(): string[] {
    return this.#media.takeReleased();
  }

  count(name: string, filter?: Filter): number {
    return this.#items.count(this.#collections.get(name).collection, filter);
  }

  page(
    name: string,
    { space, ...options }: Parameters<ItemRows["page"]>[1] & { space?: string },
  ): Row[] {
    const row = this.#collections.get(name);
    if (space !== undefined) checkSpace(row, space);
    return this.#items.page(row.collection, options);
  }

  metadata(name: string, options: Parameters<ItemRows["metadata"]>[1]) {
    return this.#items.metadata(this.#collections.get(name).collection, options);
  }

  search(
    name: string,
    queries: readonly CoreQuery[],
    options: SearchCallOptions,
  ): Promise<CoreResult[]> {
    return this.#pace.during(() => this.#searches.search(name, queries, options));
  }

  cancelSearch(id: number): void {
    this.#searches.cancel(id);
  }

  /** Loads a collection before its first search. */
  warmUp(name: string): void {
    this.#indexes.of(this.#collections.get(name));
  }

  backup(file: string): Promise<void> {
    return writeBackup(this.#database, file);
  }

  async compact(): Promise<void> {
    for (const row of this.#collections.list()) {
      await this.#writes.write(
        () => recomputeMeans(this.#db, this.#items.vectors(row.collection), row),
        () => this.#indexes.rebuild(row.collection),
        { freesRoom: true },
      );
    }
    this.#writes.flush(); // compacting needs the database to itself
    await this.#upkeep.compact();
  }

  /** Operations that currently fail, and why. */
  condition(): StoreCondition {
    return this.#upkeep.condition();
  }

  noteFailure(error: unknown): void {
    this.#upkeep.failed(error);
  }

  /** Notes for the operator about how it was opened. */
  notes(): string[] {
    return this.#notes;
  }

  /** Resolves when no graph is behind its rows and no snapshot is being written. */
  whenIndexed(): Promise<void> {
    return this.#indexes.whenIndexed();
  }

  async close(): Promise<void> {
    this.#writes.flush();
    await this.#indexes.close();
    this.#upkeep.close();
    this.#database.close();
  }

  #statsOf(row: CollectionRow): CollectionStats {
    return collectionStats(this.#db, row, {
      aliases: this.#collections.aliasesOf(row.name),
      engine: this.#engine,
      index: this.#indexes.loaded(row.collection),
    });
  }
}
