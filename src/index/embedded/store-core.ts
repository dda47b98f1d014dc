import { mkdirSync, renameSync, rmSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { AppError } from "../../errors.js";
import type { Filter } from "../filter.js";
import type { Failure, ItemPatch, PatchStatus } from "../item.js";
import type { CollectionSpec, CollectionStats, StoreCondition } from "../vector-store.js";
import { searchAnswerer } from "./answer-queries.js";
import { sealBackup } from "./backup-file.js";
import { CheckedDatabase } from "./checked-database.js";
import {
  type CollectionRow,
  CollectionRows,
  checkSpace,
  replacedMeanwhile,
} from "./collection-rows.js";
import type { CoreOptions, CoreQuery, CoreResult } from "./core-types.js";
import { hnswlibEngine } from "./hnswlib-graph.js";
import { IndexKeeper } from "./index-keeper.js";
import { type ItemRow, ItemRows, type RowChanges } from "./item-rows.js";
import { modalities, readMeans, recomputeMeans } from "./modality-means.js";
import { Pace } from "./pace.js";
import { finishRestore } from "./restore-backup.js";
import { type SearchCallOptions, SearchQueue } from "./search-queue.js";
import { backupDatabase, type Database, type Row } from "./sqlite.js";
import { StoreUpkeep } from "./store-upkeep.js";
import { usearchEngine } from "./usearch-graph.js";
import { WriteQueue } from "./write-queue.js";

/**
 * The embedded driver, inside its worker thread: the only owner of the database, the vectors in
 * memory and the graphs. Everything here is synchronous between two turns of the event loop, so no
 * write ever meets a half-applied other.
 */
export class StoreCore {
  readonly #database: CheckedDatabase;
  readonly #db: Database;
  readonly #upkeep: StoreUpkeep;
  readonly #collections: CollectionRows;
  readonly #items: ItemRows;
  readonly #writes: WriteQueue;
  readonly #engine: string;
  readonly #indexes: IndexKeeper;
  readonly #searches: SearchQueue;
  readonly #notes: string[] = [];
  readonly #pace = new Pace();

  /** The caller holds the data folder's lock. */
  static async open(options: CoreOptions): Promise<StoreCore> {
    return new StoreCore(options);
  }

  private constructor(options: CoreOptions) {
    const engine = options.engine === "hnswlib" ? hnswlibEngine() : usearchEngine;
    this.#engine = engine.name;
    finishRestore(options.dataDir);
    this.#database = CheckedDatabase.open(options.dataDir, {
      maxPages: options.maxPages,
      wasUsed: options.wasUsed,
      note: (message) => this.#notes.push(message),
    });
    this.#db = this.#database.db;
    this.#upkeep = new StoreUpkeep(this.#database, options.dataDir);
    this.#collections = new CollectionRows(this.#db);
    this.#items = new ItemRows(this.#db);
    this.#writes = new WriteQueue(this.#db, this.#upkeep);
    this.#indexes = new IndexKeeper(this.#collections, this.#items, {
      ...options,
      engine,
      pace: this.#pace,
    });
    this.#searches = new SearchQueue(
      searchAnswerer(this.#db, this.#collections, this.#items, this.#indexes),
    );
  }

  createCollection(spec: CollectionSpec): Promise<void> {
    return this.#writes.write(
      () => this.#collections.create(spec, new Date().toISOString()),
      () => undefined,
    );
  }

  renameCollection(from: string, to: string, replace: boolean): Promise<void> {
    return this.#writes.write(
      () => {
        this.#exact(from);
        const old = replace && from !== to ? this.#collections.exact(to) : undefined;
        if (old !== undefined) this.#collections.drop(old);
        if (from !== to) this.#collections.rename(from, to);
        return old;
      },
      (old) => this.#indexes.forget(old),
    );
  }

  dropCollection(name: string): Promise<void> {
    return this.#writes.write(
      () => {
        const old = this.#exact(name);
        const aliases = this.#aliasesOf(name);
        if (aliases.length > 0) {
          const message = `Aliases lead to the collection "${name}": ${aliases.join(", ")}`;
          throw new AppError("conflict", message, { param: "name" });
        }
        this.#collections.drop(old);
        return old;
      },
      (old) => this.#indexes.forget(old),
      { freesRoom: true },
    );
  }

  setFields(name: string, fields: readonly string[]): Promise<void> {
    return this.#writes.write(
      () => this.#collections.setFields(this.#collections.get(name), fields),
      () => undefined,
    );
  }

  setAlias(alias: string, collection: string): Promise<void> {
    return this.#writes.write(
      () => this.#collections.setAlias(alias, collection),
      () => undefined,
    );
  }

  removeAlias(alias: string): Promise<void> {
    return this.#writes.write(
      () => this.#collections.removeAlias(alias),
      () => undefined,
      { freesRoom: true },
    );
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

  means(name: string): [modality: number, mean: { count: number; sum: Float64Array }][] {
    return [...readMeans(this.#db, this.#collections.get(name).collection)];
  }

  /** @returns per item whether it replaced another. */
  upsert(
    name: string,
    { space, dimensions }: { space: string; dimensions: number },
    items: readonly ItemRow[],
  ): Promise<boolean[]> {
    return this.#change(name, (row) => {
      if (dimensions !== row.dimensions) throw replacedMeanwhile(name);
      checkSpace(row, space);
      const { collection } = row;
      const { replaced, changes } = this.#items.upsert(collection, dimensions, items);
      return { result: replaced, changes };
    });
  }

  /** @returns per item what became of it, or its error. */
  patch(name: string, patches: readonly ItemPatch[]): Promise<(PatchStatus | Failure)[]> {
    return this.#change(name, ({ collection }) => {
      const result = this.#items.patch(collection, patches).map((status) => {
        if (typeof status === "string") return status;
        const { code, message, param } = status;
        return { code, message, param };
      });
      return { result, changes: { added: [], removed: [] } };
    });
  }

  idsAfter(name: string, filter: Filter, page: { after: number; limit: number }) {
    return this.#items.idsAfter(this.#collections.get(name).collection, filter, page);
  }

  delete(name: string, what: { ids: readonly string[] } | { filter: Filter }): Promise<number> {
    const remove = ({ collection, dimensions }: CollectionRow) => {
      const rows =
        "ids" in what
          ? this.#items.rowsOfIds(collection, what.ids)
          : this.#items.rowsOfFilter(collection, what.filter);
      return { result: rows.length, changes: this.#items.delete(collection, dimensions, rows) };
    };
    return this.#change(name, remove, { freesRoom: true });
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

  count(name: string, filter?: Filter): number {
    return this.#items.count(this.#collections.get(name).collection, filter);
  }

  page(
    name: string,
    after: number,
    limit: number,
    { space, ...options }: { filter?: Filter; modality?: number; space?: string },
  ): Row[] {
    const row = this.#collections.get(name);
    if (space !== undefined) checkSpace(row, space);
    return this.#items.page(row.collection, after, limit, options);
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

  async backup(file: string): Promise<void> {
    if (existsFile(file))
      throw new AppError("already_exists", `The file "${file}" exists already`, { param: "file" });
    const temporary = `${file}.part`;
    try {
      mkdirSync(dirname(file), { recursive: true });
      await this.#database.verify();
      await backupDatabase(this.#db, temporary);
      sealBackup(temporary);
      renameSync(temporary, file);
    } catch (error) {
      rmSync(temporary, { force: true });
      if (error instanceof AppError) throw error;
      throw new AppError("storage_failed", `Cannot write the backup "${file}"`, { cause: error });
    }
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

  /** What cannot be done at present, and why. */
  condition(): StoreCondition {
    return this.#upkeep.condition();
  }

  noteFailure(error: unknown): void {
    this.#upkeep.failed(error);
  }

  /** What an operator should know of how it was opened. */
  notes(): string[] {
    return this.#notes;
  }

  /** Resolves when no graph is behind its rows and no snapshot is being written. */
  settled(): Promise<void> {
    return this.#indexes.settled();
  }

  async close(): Promise<void> {
    this.#writes.flush();
    await this.#indexes.close();
    this.#upkeep.close();
    this.#database.close();
  }

  /** @throws AppError not_found; conflict for an alias. */
  #exact(name: string): CollectionRow {
    const found = this.#collections.get(name);
    if (found.name === name) return found;
    const message = `"${name}" is an alias of the collection "${found.name}"`;
    throw new AppError("conflict", message, { param: "name" });
  }

  #aliasesOf(name: string): string[] {
    return this.#collections.aliases().flatMap(([alias, to]) => (to === name ? [alias] : []));
  }

  #change<T>(
    name: string,
    run: (row: CollectionRow) => { result: T; changes: RowChanges },
    options: { freesRoom?: boolean } = {},
  ): Promise<T> {
    return this.#writes.write(
      () => {
        const row = this.#collections.get(name);
        return { ...run(row), collection: row.collection };
      },
      ({ result, changes, collection }) => {
        this.#indexes.apply(collection, changes);
        return result;
      },
      options,
    );
  }

  #statsOf(row: CollectionRow): CollectionStats {
    const { collection, name, space, dimensions, fields, options, createdAt } = row;
    const counts = [...readMeans(this.#db, collection)];
    const index = this.#indexes.loaded(collection);
    return {
      name,
      space,
      dimensions,
      fields,
      options,
      aliases: this.#aliasesOf(name),
      createdAt,
      count: counts.reduce((sum, [, { count }]) => sum + count, 0),
      countByModality: Object.fromEntries(
        counts.map(([modality, { count }]) => [modalities[modality], count]),
      ),
      index: {
        engine: this.#engine,
        state: index?.state ?? (row.snapshot?.graph === undefined ? "none" : "ready"),
        indexed: index?.indexed ?? row.snapshot?.graph?.size ?? 0,
      },
    };
  }
}

function existsFile(file: string): boolean {
  return statSync(file, { throwIfNoEntry: false }) !== undefined;
}
