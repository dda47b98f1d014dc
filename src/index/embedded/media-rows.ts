import type { MediaReference } from "../item.js";
import { type Database, guard, Statements } from "./sqlite.js";

/** Which item refers to which kept media. Methods that write belong inside a transaction. */
export class MediaRows {
  readonly #statements: Statements;
  /** Hashes that items have stopped referring to; others may still do. */
  #released = new Set<string>();

  constructor(db: Database) {
    this.#statements = new Statements(db);
  }

  /** Replaces the reference that an item has. */
  set(row: number, media: MediaReference | undefined): void {
    this.remove(row);
    if (media === undefined) return;
    this.#statements
      .get("INSERT INTO media (row, sha256, bytes, media_type) VALUES (?, ?, ?, ?)")
      .run(row, media.sha256, media.bytes, media.mediaType);
  }

  remove(row: number): void {
    this.#release("DELETE FROM media WHERE row = ? RETURNING sha256", row);
  }

  /** Of all items of a collection, which are still there. */
  removeAll(collection: number): void {
    const rows = "SELECT row FROM items WHERE collection = ?";
    this.#release(`DELETE FROM media WHERE row IN (${rows}) RETURNING sha256`, collection);
  }

  inUse(hashes: readonly string[]): string[] {
    const find = this.#statements.get("SELECT 1 FROM media WHERE sha256 = ? LIMIT 1");
    return guard(() => hashes.filter((hash) => find.get(hash) !== undefined));
  }

  /** Hashes that nothing refers to since the last call. */
  takeReleased(): string[] {
    const candidates = [...this.#released];
    this.#released = new Set();
    const used = new Set(this.inUse(candidates));
    return candidates.filter((hash) => !used.has(hash));
  }

  #release(sql: string, of: number): void {
    const found = this.#statements.get(sql).all(of) as { sha256: string }[];
    for (const { sha256 } of found) this.#released.add(sha256);
  }
}

/** The columns of a reference, in a statement that joins the table. */
export const mediaColumns =
  "media.sha256 AS media_sha256, media.bytes AS media_bytes, media.media_type AS media_type";

/** The reference in a row of such a statement. */
export function mediaOf(row: Record<string, unknown>): MediaReference | undefined {
  if (row.media_sha256 === null) return undefined;
  return {
    sha256: row.media_sha256 as string,
    bytes: row.media_bytes as number,
    mediaType: row.media_type as string,
  };
}
