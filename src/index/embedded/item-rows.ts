import { AppError } from "../../errors.js";
import { checkMetadata } from "../check-item.js";
import type { Filter } from "../filter.js";
import type { ItemPatch, PatchStatus } from "../item.js";
import { mergePatch } from "../merge-patch.js";
import { filterSql } from "./filter-sql.js";
import { ModalityMeans } from "./modality-means.js";
import { type Database, guard, type Row, type Statement } from "./sqlite.js";

/** An item on its way into the database. */
export interface ItemRow {
  id: string;
  modality: number;
  embedding: Float32Array;
  /** JSON. Without it, what an item of that id has already stays. */
  metadata?: string;
  text?: string;
  /** In milliseconds. Of an item that is replaced the first time stays. */
  addedAt: { given?: number; now: number };
  original?: { space: string; embedding: Float32Array };
  source?: string;
  contentHash?: string;
  preview?: { mediaType: string; bytes: Uint8Array };
}

/**
 * What a write changed for the searchable copy in memory: vectors that came and rows whose vector
 * went.
 */
export interface RowChanges {
  added: { row: number; modality: number; embedding: Float32Array }[];
  removed: number[];
}

/** An item's row number beside what a search answers. */
export interface NeighborRow {
  id: string;
  metadata: string;
  source: string | null;
  text: string | null;
  addedAt: number | null;
}

/** The items of all collections. Methods that write belong inside a transaction. */
export class ItemRows {
  readonly #db: Database;
  readonly #statements = new Map<string, Statement>();

  constructor(db: Database) {
    this.#db = db;
  }

  /** @returns per item whether it replaced another, and what changed. */
  upsert(
    collection: number,
    dimensions: number,
    items: readonly ItemRow[],
  ): { replaced: boolean[]; changes: RowChanges } {
    const changes: RowChanges = { added: [], removed: [] };
    const means = new ModalityMeans(this.#db, collection, dimensions);
    const find = this.#sql(
      "SELECT row, modality, embedding, metadata, added_at AS addedAt FROM items JOIN vectors USING (row) WHERE collection = ? AND id = ?",
    );
    const update = this.#sql(
      "UPDATE items SET metadata = ?, source = ?, content_hash = ?, text = ?, added_at = ? WHERE row = ?",
    );
    const replaced = items.map((item) => {
      const old = find.get(collection, item.id) as OldItem | undefined;
      const bytes = bytesOf(item.embedding);
      const facts = factsOf(item, old);
      if (
        old !== undefined &&
        old.modality === item.modality &&
        Buffer.compare(old.embedding, bytes) === 0
      ) {
        update.run(...facts, old.row);
        this.#writeExtras(old.row, item);
        return true;
      }
      if (old !== undefined) {
        means.subtract(old.modality, floatsOf(old.embedding));
        this.#deleteRow(old.row);
        changes.removed.push(old.row);
      }
      changes.added.push({
        row: this.#insert(collection, item, facts, bytes),
        modality: item.modality,
        embedding: item.embedding,
      });
      means.add(item.modality, item.embedding);
      return old !== undefined;
    });
    means.save();
    return { replaced, changes };
  }

  delete(collection: number, dimensions: number, rows: readonly number[]): RowChanges {
    const means = new ModalityMeans(this.#db, collection, dimensions);
    const read = this.#sql(
      "SELECT modality, embedding FROM items JOIN vectors USING (row) WHERE row = ?",
    );
    for (const row of rows) {
      const { modality, embedding } = read.get(row) as { modality: number; embedding: Uint8Array };
      means.subtract(modality, floatsOf(embedding));
      this.#deleteRow(row);
    }
    means.save();
    return { added: [], removed: [...rows] };
  }

  /** Changes metadata alone. @returns per patch what became of it, or its error. */
  patch(collection: number, patches: readonly ItemPatch[]): (PatchStatus | AppError)[] {
    const find = this.#sql("SELECT row, metadata FROM items WHERE collection = ? AND id = ?");
    const update = this.#sql("UPDATE items SET metadata = ? WHERE row = ?");
    return patches.map(({ id, metadata, replace }) => {
      const found = find.get(collection, id) as { row: number; metadata: string } | undefined;
      if (found === undefined) return "missing";
      try {
        const changed = checkMetadata(
          replace ? metadata : mergePatch(JSON.parse(found.metadata), metadata),
        );
        if (changed === found.metadata) return "unchanged";
        update.run(changed, found.row);
        return "updated";
      } catch (error) {
        if (error instanceof AppError && error.code === "invalid_input") return error;
        throw error;
      }
    });
  }

  /** Ids after row `after` that fulfil the filter, oldest first. */
  idsAfter(
    collection: number,
    filter: Filter,
    { after, limit }: { after: number; limit: number },
  ): { row: number; id: string }[] {
    const { sql, values } = filterSql(filter);
    return guard(() =>
      this.#db
        .prepare(
          `SELECT row, id FROM items WHERE collection = ${collection} AND row > ? AND ${sql} ORDER BY row LIMIT ?`,
        )
        .all(after, ...values, limit),
    ) as { row: number; id: string }[];
  }

  /** Row numbers of the ids that exist, in the order of `ids`. */
  rowsOfIds(collection: number, ids: readonly string[]): number[] {
    return guard(() => {
      const find = this.#sql("SELECT row FROM items WHERE collection = ? AND id = ?");
      const rows = new Set<number>();
      for (const id of ids) {
        const found = find.get(collection, id) as { row: number } | undefined;
        if (found !== undefined) rows.add(found.row);
      }
      return [...rows];
    });
  }

  /** Row numbers that fulfil the filter, at most `limit`, in no particular order. */
  rowsOfFilter(collection: number, filter: Filter, limit = -1): number[] {
    const { sql, values } = filterSql(filter);
    return guard(() => {
      const found = this.#db.prepare(
        `SELECT row FROM items WHERE collection = ${collection} AND ${sql} LIMIT ${limit}`,
      );
      found.setReturnArrays(true);
      return (found.all(...values) as number[][]).map(([row]) => row);
    });
  }

  count(collection: number, filter?: Filter): number {
    const { sql, values } = filter === undefined ? { sql: "1", values: [] } : filterSql(filter);
    return guard(() => {
      const counted = this.#db.prepare(
        `SELECT count(*) AS n FROM items WHERE collection = ${collection} AND ${sql}`,
      );
      return (counted.get(...values) as { n: number }).n;
    });
  }

  /** The next items after row `after`, oldest first. */
  page(
    collection: number,
    after: number,
    limit: number,
    options: { filter?: Filter; modality?: number },
  ): Row[] {
    const { sql, values } =
      options.filter === undefined ? { sql: "1", values: [] } : filterSql(options.filter);
    const modality = options.modality === undefined ? "" : `AND modality = ${options.modality}`;
    return guard(() =>
      this.#db
        .prepare(
          `${wholeItem} WHERE collection = ${collection} AND items.row > ? ${modality} AND ${sql} ORDER BY items.row LIMIT ?`,
        )
        .all(after, ...values, limit),
    );
  }

  byRows(rows: readonly number[]): Row[] {
    const read = this.#sql(`${wholeItem} WHERE items.row = ?`);
    return guard(() => rows.map((row) => read.get(row) as Row));
  }

  neighbor(row: number): NeighborRow {
    return guard(
      () =>
        this.#sql(
          "SELECT id, metadata, source, text, added_at AS addedAt FROM items WHERE row = ?",
        ).get(row) as NeighborRow,
    );
  }

  preview(row: number): { mediaType: string; bytes: Uint8Array } | undefined {
    return guard(() =>
      this.#sql("SELECT media_type AS mediaType, bytes FROM previews WHERE row = ?").get(row),
    );
  }

  /** Of the ids that exist and have one. */
  contentHashes(collection: number, ids: readonly string[]): [id: string, hash: string][] {
    return guard(() => {
      const read = this.#sql(
        "SELECT id, content_hash AS hash FROM items WHERE collection = ? AND id = ?",
      );
      return ids.flatMap((id): [string, string][] => {
        const found = read.get(collection, id) as { id: string; hash: string | null } | undefined;
        return found?.hash == null ? [] : [[found.id, found.hash]];
      });
    });
  }

  /** Every vector of a collection, oldest first. */
  *vectors(
    collection: number,
  ): Iterable<{ row: number; modality: number; embedding: Float32Array }> {
    const read = this.#db.prepare(
      "SELECT row, modality, embedding FROM items JOIN vectors USING (row) WHERE collection = ? ORDER BY row",
    );
    for (const found of read.iterate(collection))
      yield { ...found, embedding: floatsOf(found.embedding) };
  }

  #insert(collection: number, item: ItemRow, facts: Facts, embedding: Uint8Array): number {
    const { lastInsertRowid } = this.#sql(
      "INSERT INTO items (collection, id, modality, metadata, source, content_hash, text, added_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    ).run(collection, item.id, item.modality, ...facts);
    const row = Number(lastInsertRowid);
    this.#sql("INSERT INTO vectors (row, embedding) VALUES (?, ?)").run(row, embedding);
    this.#writeExtras(row, item);
    return row;
  }

  #writeExtras(row: number, { original, preview }: ItemRow) {
    this.#sql("DELETE FROM originals WHERE row = ?").run(row);
    this.#sql("DELETE FROM previews WHERE row = ?").run(row);
    if (original !== undefined) {
      const insert = this.#sql("INSERT INTO originals (row, space, embedding) VALUES (?, ?, ?)");
      insert.run(row, original.space, bytesOf(original.embedding));
    }
    if (preview !== undefined) {
      this.#sql("INSERT INTO previews (row, media_type, bytes) VALUES (?, ?, ?)").run(
        row,
        preview.mediaType,
        preview.bytes,
      );
    }
  }

  #deleteRow(row: number) {
    for (const table of ["items", "vectors", "originals", "previews"]) {
      this.#sql(`DELETE FROM ${table} WHERE row = ?`).run(row);
    }
  }

  #sql(text: string): Statement {
    let statement = this.#statements.get(text);
    if (statement === undefined) {
      statement = this.#db.prepare(text);
      this.#statements.set(text, statement);
    }
    return statement;
  }
}

interface OldItem {
  row: number;
  modality: number;
  embedding: Uint8Array;
  metadata: string;
  addedAt: number | null;
}

/** Columns that are written alike for a new and a replaced item. */
type Facts = [
  metadata: string,
  source: string | null,
  contentHash: string | null,
  text: string | null,
  addedAt: number | null,
];

function factsOf(item: ItemRow, old: OldItem | undefined): Facts {
  const { given, now } = item.addedAt;
  return [
    item.metadata ?? old?.metadata ?? "{}",
    item.source ?? null,
    item.contentHash ?? null,
    item.text ?? null,
    given ?? (old === undefined ? now : old.addedAt),
  ];
}

const wholeItem = `
  SELECT items.row, id, modality, metadata, source, content_hash, text, added_at, vectors.embedding,
         originals.space AS original_space, originals.embedding AS original_embedding
  FROM items JOIN vectors USING (row) LEFT JOIN originals USING (row)`;

function bytesOf(floats: Float32Array): Uint8Array {
  return new Uint8Array(floats.buffer, floats.byteOffset, floats.byteLength);
}

/** A copy: the database's bytes need not lie at a multiple of four. */
export function floatsOf(bytes: Uint8Array): Float32Array {
  return new Float32Array(bytes.slice().buffer);
}
