import { AppError } from "../../errors.js";
import type { JsonObject } from "../item.js";
import type { CollectionSpec } from "../vector-store.js";
import { fieldExpression } from "./filter-sql.js";
import { MediaRows } from "./media-rows.js";
import { readSnapshotRecord, type SnapshotRecord } from "./snapshot.js";
import { type Database, guard, type Row } from "./sqlite.js";

/** A collection's row in the database. */
export interface CollectionRow {
  collection: number;
  name: string;
  space: string;
  dimensions: number;
  fields: string[];
  options: JsonObject;
  createdAt: string;
  snapshot: SnapshotRecord | undefined;
}

/** The table of collections. Methods that write belong inside a transaction. */
export class CollectionRows {
  readonly #db: Database;
  readonly #media: MediaRows;

  constructor(db: Database, media = new MediaRows(db)) {
    this.#db = db;
    this.#media = media;
  }

  create(spec: CollectionSpec, createdAt: string): void {
    this.#refuseTaken(spec.name, "name");
    const fields = [...new Set(spec.fields ?? [])];
    const values = [
      spec.name,
      spec.space,
      spec.dimensions,
      JSON.stringify(fields),
      JSON.stringify(spec.options ?? {}),
      createdAt,
    ];
    const { lastInsertRowid } = this.#db
      .prepare(
        "INSERT INTO collections (name, space, dimensions, fields, options, created_at) " +
          "VALUES (?, ?, ?, ?, ?, ?)",
      )
      .run(...values);
    this.#createIndexes(Number(lastInsertRowid), fields, 0);
  }

  /** Declares other fields; indexes of leading fields that are the same stay. */
  setFields({ collection, fields: old }: CollectionRow, wanted: readonly string[]): void {
    const fields = [...new Set(wanted)];
    const first = fields.findIndex((field, i) => field !== old[i]);
    const same = first < 0 ? Math.min(fields.length, old.length) : first;
    for (let i = same; i < old.length; i++)
      this.#db.exec(`DROP INDEX item_field_${collection}_${i}`);
    this.#createIndexes(collection, fields, same);
    this.#db
      .prepare("UPDATE collections SET fields = ? WHERE collection = ?")
      .run(JSON.stringify(fields), collection);
  }

  setOptions({ collection, options }: CollectionRow, changed: JsonObject): void {
    this.#db
      .prepare("UPDATE collections SET options = ? WHERE collection = ?")
      .run(JSON.stringify({ ...options, ...changed }), collection);
  }

  #createIndexes(collection: number, fields: readonly string[], from: number): void {
    for (const [i, field] of fields.entries()) {
      if (i < from) continue;
      // The condition keeps other collections out; the column in front makes the planner prefer
      // this index to the one on the collection alone, which it otherwise takes for ranges.
      this.#db.exec(
        `CREATE INDEX item_field_${collection}_${i} ON items (collection, ` +
          `${fieldExpression(field)}) WHERE collection = ${collection}`,
      );
    }
  }

  setAlias(alias: string, collection: string): void {
    const { name } = this.get(collection);
    if (this.exact(alias) !== undefined)
      throw new AppError("already_exists", `"${alias}" is a collection`, { param: "alias" });
    this.#db
      .prepare("INSERT OR REPLACE INTO aliases (alias, collection) VALUES (?, ?)")
      .run(alias, name);
  }

  removeAlias(alias: string): void {
    const { changes } = this.#db.prepare("DELETE FROM aliases WHERE alias = ?").run(alias);
    if (Number(changes) === 0)
      throw new AppError("not_found", `There is no alias "${alias}"`, { param: "alias" });
  }

  /** Alias -> collection. */
  aliases(): [alias: string, collection: string][] {
    const rows = guard(() =>
      this.#db.prepare("SELECT alias, collection FROM aliases ORDER BY alias").all(),
    );
    return rows.map((row) => [row.alias as string, row.collection as string]);
  }

  aliasesOf(name: string): string[] {
    return this.aliases().flatMap(([alias, collection]) => (collection === name ? [alias] : []));
  }

  /** @throws AppError conflict while aliases lead to the collection. */
  refuseAliased(name: string): void {
    const aliases = this.aliasesOf(name);
    if (aliases.length === 0) return;
    const message = `Aliases point to the collection "${name}": ${aliases.join(", ")}`;
    throw new AppError("conflict", message, { param: "name" });
  }

  /** @throws AppError already_exists for the name of a collection or alias. */
  #refuseTaken(name: string, param: string): void {
    const found = this.find(name);
    if (found === undefined) return;
    const owner = found.name === name ? "The collection" : "The alias";
    throw new AppError("already_exists", `${owner} "${name}" already exists`, { param });
  }

  setSnapshot(collection: number, snapshot: SnapshotRecord | undefined): void {
    const record = snapshot === undefined ? null : JSON.stringify(snapshot);
    this.#db
      .prepare("UPDATE collections SET snapshot = ? WHERE collection = ?")
      .run(record, collection);
  }

  /**
   * @param replace  a collection with the new name is dropped in the same transaction.
   * @returns the one that was dropped.
   */
  rename(from: string, to: string, replace: boolean): CollectionRow | undefined {
    this.getExact(from);
    if (from === to) return undefined;
    const replaced = replace ? this.exact(to) : undefined;
    if (replaced !== undefined) this.drop(replaced);
    this.#refuseTaken(to, "name");
    this.#db.prepare("UPDATE collections SET name = ? WHERE name = ?").run(to, from);
    this.#db.prepare("UPDATE aliases SET collection = ? WHERE collection = ?").run(to, from);
    return replaced;
  }

  drop({ collection, fields }: CollectionRow): void {
    this.#media.removeAll(collection);
    const rows = "SELECT row FROM items WHERE collection = ?";
    for (const table of ["vectors", "originals", "previews"]) {
      this.#db.prepare(`DELETE FROM ${table} WHERE row IN (${rows})`).run(collection);
    }
    for (const table of ["items", "means", "collections"]) {
      this.#db.prepare(`DELETE FROM ${table} WHERE collection = ?`).run(collection);
    }
    for (let i = 0; i < fields.length; i++)
      this.#db.exec(`DROP INDEX item_field_${collection}_${i}`);
  }

  /** By its name or an alias. @throws AppError not_found. */
  get(name: string): CollectionRow {
    const found = this.find(name);
    if (found === undefined)
      throw new AppError("not_found", `There is no collection "${name}"`, { param: "collection" });
    return found;
  }

  /** By its own name. @throws AppError not_found; conflict for an alias. */
  getExact(name: string): CollectionRow {
    const found = this.get(name);
    if (found.name === name) return found;
    const message = `"${name}" is an alias of the collection "${found.name}"`;
    throw new AppError("conflict", message, { param: "name" });
  }

  find(name: string): CollectionRow | undefined {
    return this.exact(name) ?? this.#find(byAlias, name);
  }

  /** By its own name only: an alias must not lead to a renamed or dropped collection. */
  exact(name: string): CollectionRow | undefined {
    return this.#find("name = ?", name);
  }

  byNumber(collection: number): CollectionRow | undefined {
    return this.#find("collection = ?", collection);
  }

  list(): CollectionRow[] {
    return guard(() =>
      this.#db.prepare("SELECT * FROM collections ORDER BY name").all().map(collectionRow),
    );
  }

  #find(condition: string, value: string | number): CollectionRow | undefined {
    const row = guard(() =>
      this.#db.prepare(`SELECT * FROM collections WHERE ${condition}`).get(value),
    );
    return row === undefined ? undefined : collectionRow(row);
  }
}

const byAlias = "name = (SELECT collection FROM aliases WHERE alias = ?)";

function collectionRow(row: Row): CollectionRow {
  return {
    collection: row.collection as number,
    name: row.name as string,
    space: row.space as string,
    dimensions: row.dimensions as number,
    fields: JSON.parse(row.fields as string),
    options: JSON.parse(row.options as string),
    createdAt: row.created_at as string,
    snapshot: readSnapshotRecord(row.snapshot as string | null),
  };
}
