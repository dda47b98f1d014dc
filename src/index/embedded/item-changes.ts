import { AppError } from "../../errors.js";
import { checkMetadata } from "../check-item.js";
import type { Failure, ItemPatch, MediaReference, PatchStatus } from "../item.js";
import { patchedMetadata } from "../patched-metadata.js";
import { floatsOf } from "./item-rows.js";
import { MediaRows } from "./media-rows.js";
import { ModalityMeans } from "./modality-means.js";
import { type Database, Statements } from "./sqlite.js";

/** An item to be written. */
export interface ItemRow {
  id: string;
  modality: number;
  embedding: Float32Array;
  /** JSON. Without it, an existing item keeps its metadata. */
  metadata?: string;
  text?: string;
  /** In milliseconds. A replaced item keeps its first time. */
  addedAt: { requested?: number; now: number };
  original?: { space: string; embedding: Float32Array };
  source?: string;
  contentHash?: string;
  preview?: { mediaType: string; bytes: Uint8Array };
  media?: MediaReference;
}

/**
 * A write's effect on the copy in memory: new vectors and removed rows.
 */
export interface RowChanges {
  added: { row: number; modality: number; embedding: Float32Array }[];
  removed: number[];
}

/** Changes the items of all collections, inside the caller's transaction. */
export class ItemChanges {
  readonly #db: Database;
  readonly #statements: Statements;
  readonly #media: MediaRows;

  constructor(db: Database, media = new MediaRows(db)) {
    this.#db = db;
    this.#media = media;
    this.#statements = new Statements(db);
  }

  /** @returns per item whether it replaced another, and what changed. */
  upsert(
    collection: number,
    dimensions: number,
    items: readonly ItemRow[],
  ): { replaced: boolean[]; changes: RowChanges } {
    const changes: RowChanges = { added: [], removed: [] };
    const means = new ModalityMeans(this.#db, collection, dimensions);
    const find = this.#statements.get(
      "SELECT row, modality, embedding, metadata, added_at AS addedAt FROM items JOIN vectors " +
        "USING (row) WHERE collection = ? AND id = ?",
    );
    const update = this.#statements.get(
      "UPDATE items SET metadata = ?, source = ?, content_hash = ?, text = ?, added_at = ? " +
        "WHERE row = ?",
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
    const read = this.#statements.get(
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

  /** Changes metadata only. @returns the outcome of each patch, or its error. */
  patch(collection: number, patches: readonly ItemPatch[]): (PatchStatus | Failure)[] {
    const find = this.#statements.get(
      "SELECT row, metadata FROM items WHERE collection = ? AND id = ?",
    );
    const update = this.#statements.get("UPDATE items SET metadata = ? WHERE row = ?");
    return patches.map(({ id, ...patch }) => {
      const found = find.get(collection, id) as { row: number; metadata: string } | undefined;
      if (found === undefined) return "missing";
      try {
        const changed = checkMetadata(patchedMetadata(JSON.parse(found.metadata), patch));
        if (changed === found.metadata) return "unchanged";
        update.run(changed, found.row);
        return "updated";
      } catch (error) {
        if (!(error instanceof AppError) || error.code !== "invalid_input") throw error;
        const { code, message, param } = error;
        return { code, message, param };
      }
    });
  }

  #insert(collection: number, item: ItemRow, facts: Facts, embedding: Uint8Array): number {
    const { lastInsertRowid } = this.#statements
      .get(
        "INSERT INTO items (collection, id, modality, metadata, source, content_hash, text, " +
          "added_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
      )
      .run(collection, item.id, item.modality, ...facts);
    const row = Number(lastInsertRowid);
    this.#statements.get("INSERT INTO vectors (row, embedding) VALUES (?, ?)").run(row, embedding);
    this.#writeExtras(row, item);
    return row;
  }

  #writeExtras(row: number, { original, preview, media }: ItemRow) {
    this.#media.set(row, media);
    this.#statements.get("DELETE FROM originals WHERE row = ?").run(row);
    this.#statements.get("DELETE FROM previews WHERE row = ?").run(row);
    if (original !== undefined) {
      const insert = this.#statements.get(
        "INSERT INTO originals (row, space, embedding) VALUES (?, ?, ?)",
      );
      insert.run(row, original.space, bytesOf(original.embedding));
    }
    if (preview !== undefined) {
      this.#statements
        .get("INSERT INTO previews (row, media_type, bytes) VALUES (?, ?, ?)")
        .run(row, preview.mediaType, preview.bytes);
    }
  }

  #deleteRow(row: number) {
    this.#media.remove(row);
    for (const table of ["items", "vectors", "originals", "previews"]) {
      this.#statements.get(`DELETE FROM ${table} WHERE row = ?`).run(row);
    }
  }
}

interface OldItem {
  row: number;
  modality: number;
  embedding: Uint8Array;
  metadata: string;
  addedAt: number | null;
}

/** Columns written the same way for a new and a replaced item. */
type Facts = [
  metadata: string,
  source: string | null,
  contentHash: string | null,
  text: string | null,
  addedAt: number | null,
];

function factsOf(item: ItemRow, old: OldItem | undefined): Facts {
  const { requested, now } = item.addedAt;
  return [
    item.metadata ?? old?.metadata ?? "{}",
    item.source ?? null,
    item.contentHash ?? null,
    item.text ?? null,
    requested ?? (old === undefined ? now : old.addedAt),
  ];
}

function bytesOf(floats: Float32Array): Uint8Array {
  return new Uint8Array(floats.buffer, floats.byteOffset, floats.byteLength);
}
