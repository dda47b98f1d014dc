import type { Filter } from "../filter.js";
import type { MediaReference } from "../item.js";
import type { MetadataRow } from "../metadata-page.js";
import { type PageOrder, pageOrders } from "../page-order.js";
import { filterSql } from "./filter-sql.js";
import { mediaColumns, mediaOf } from "./media-rows.js";
import { type Database, guard, type Row, Statements } from "./sqlite.js";

/** An item's row number and its part of a search answer. */
export interface NeighborRow {
  id: string;
  metadata: string;
  source: string | null;
  text: string | null;
  addedAt: number | null;
  media: MediaReference | undefined;
}

/** Reads the items of all collections. */
export class ItemRows {
  readonly #db: Database;
  readonly #statements: Statements;

  constructor(db: Database) {
    this.#db = db;
    this.#statements = new Statements(db);
  }

  /** Ids after row `after` that match the filter, oldest first. */
  idsAfter(
    collection: number,
    filter: Filter,
    { after, limit }: { after: number; limit: number },
  ): { row: number; id: string }[] {
    const { sql, values } = filterSql(filter);
    return guard(() =>
      this.#db
        .prepare(
          `SELECT row, id FROM items WHERE collection = ${collection} AND row > ? AND ${sql} ` +
            "ORDER BY row LIMIT ?",
        )
        .all(after, ...values, limit),
    ) as { row: number; id: string }[];
  }

  /** Row numbers of the ids that exist, in the order of `ids`. */
  rowsOfIds(collection: number, ids: readonly string[]): number[] {
    return guard(() => {
      const find = this.#statements.get("SELECT row FROM items WHERE collection = ? AND id = ?");
      const rows = new Set<number>();
      for (const id of ids) {
        const found = find.get(collection, id) as { row: number } | undefined;
        if (found !== undefined) rows.add(found.row);
      }
      return [...rows];
    });
  }

  /** Row numbers that match the filter, at most `limit`, in no particular order. */
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
    {
      after,
      limit,
      order,
      ...conditions
    }: PageConditions & { after?: number | string; limit: number; order: PageOrder },
  ): Row[] {
    const { by, beyond, direction, start } = pageOrders[order];
    const { sql, values } = pageSql(conditions);
    return guard(() =>
      this.#db
        .prepare(
          `${wholeItem} WHERE collection = ${collection} AND items.${by} ${beyond} ? AND ` +
            `${sql} ORDER BY items.${by} ${direction} LIMIT ?`,
        )
        .all(after ?? start, ...values, limit),
    );
  }

  /** Ids and metadata alone, newest first, before row `before`. */
  metadata(
    collection: number,
    { before, limit, ...conditions }: PageConditions & { before: number; limit: number },
  ): MetadataRow[] {
    const { sql, values } = pageSql(conditions);
    return guard(() =>
      this.#db
        .prepare(
          `SELECT row, id, metadata FROM items WHERE collection = ${collection} AND row < ? AND ` +
            `${sql} ORDER BY row DESC LIMIT ?`,
        )
        .all(before, ...values, limit),
    ) as MetadataRow[];
  }

  byRows(rows: readonly number[]): Row[] {
    const read = this.#statements.get(`${wholeItem} WHERE items.row = ?`);
    return guard(() => rows.map((row) => read.get(row) as Row));
  }

  neighbor(row: number): NeighborRow {
    return guard(() => {
      const found = this.#statements
        .get(
          `SELECT id, metadata, source, text, added_at AS addedAt, ${mediaColumns}
           FROM items LEFT JOIN media USING (row) WHERE row = ?`,
        )
        .get(row) as Row;
      return { ...(found as unknown as NeighborRow), media: mediaOf(found) };
    });
  }

  preview(row: number): { mediaType: string; bytes: Uint8Array } | undefined {
    return guard(() =>
      this.#statements
        .get("SELECT media_type AS mediaType, bytes FROM previews WHERE row = ?")
        .get(row),
    );
  }

  /** Of the ids that exist and have one. */
  contentHashes(collection: number, ids: readonly string[]): [id: string, hash: string][] {
    return guard(() => {
      const read = this.#statements.get(
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
      "SELECT row, modality, embedding FROM items JOIN vectors USING (row) WHERE collection = " +
        "? ORDER BY row",
    );
    for (const found of read.iterate(collection))
      yield { ...found, embedding: floatsOf(found.embedding) };
  }
}

interface PageConditions {
  filter?: Filter;
  modality?: number;
}

function pageSql({ filter, modality }: PageConditions) {
  const { sql, values } = filter === undefined ? { sql: "1", values: [] } : filterSql(filter);
  return { sql: modality === undefined ? sql : `modality = ${modality} AND ${sql}`, values };
}

const wholeItem = `
  SELECT items.row, id, modality, metadata, source, content_hash, text, added_at, vectors.embedding,
         originals.space AS original_space, originals.embedding AS original_embedding,
         ${mediaColumns}
  FROM items JOIN vectors USING (row) LEFT JOIN originals USING (row)
             LEFT JOIN media USING (row)`;

/** A copy: the database's bytes may not be aligned to four. */
export function floatsOf(bytes: Uint8Array): Float32Array {
  return new Float32Array(bytes.slice().buffer);
}
