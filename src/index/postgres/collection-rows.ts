import { AppError } from "../../errors.js";
import { checkSpace } from "../check-space.js";
import type { JsonObject } from "../item.js";
import type { CollectionSpec } from "../vector-store.js";
import { createTables, dropTables, indexFields } from "./collection-tables.js";
import type { Connection } from "./connections.js";

/** A collection's row in the database. */
export interface CollectionRow {
  /** Its tables are named by it. */
  n: number;
  name: string;
  space: string;
  dimensions: number;
  fields: string[];
  options: JsonObject;
  createdAt: string;
  graph: "none" | "building" | "ready";
}

/**
 * How a transaction holds the collection: writers of items `share` it, so that nobody replaces it
 * under them; `update` waits for them to end and keeps others out.
 */
type Lock = "share" | "update";

/** By its name or an alias. @throws AppError not_found; conflict when it is of another space. */
export async function getCollection(
  db: Connection,
  name: string,
  { lock, space }: { lock?: Lock; space?: string } = {},
): Promise<CollectionRow> {
  const found = await findCollection(db, name, lock);
  if (found === undefined)
    throw new AppError("not_found", `There is no collection "${name}"`, { param: "collection" });
  if (space !== undefined) checkSpace(found, space);
  return found;
}

export async function findCollection(
  db: Connection,
  name: string,
  lock?: Lock,
): Promise<CollectionRow | undefined> {
  for (;;) {
    // Prepared: planning it costs more than running it, and every request does.
    const prepared = `collection_by_name_${lock ?? "unlocked"}`;
    const condition = `asked.name = $1 ${lockOf(lock)}`;
    const [row] = await selectCollections(db, condition, [name], prepared);
    if (row !== undefined || lock === undefined) return row;
    // It was removed while this waited for its lock, and what took its name is newer than this
    // statement: look again, or an existing collection would not be found.
    const { rowCount } = await db.query("select from crossmodal.names where name = $1", [name]);
    if (rowCount === 0) return undefined;
  }
}

/** In the order of their names. */
export const listCollections = (db: Connection): Promise<CollectionRow[]> =>
  selectCollections(db, "not asked.alias order by asked.name", []);

export async function collectionByNumber(
  db: Connection,
  n: number,
  lock?: Lock,
): Promise<CollectionRow | undefined> {
  const condition = `c.n = $1 and not asked.alias ${lockOf(lock)}`;
  return (await selectCollections(db, condition, [n]))[0];
}

const lockOf = (lock: Lock | undefined) => (lock === undefined ? "" : `for ${lock} of c`);

async function selectCollections(
  db: Connection,
  condition: string,
  values: unknown[],
  prepared?: string,
): Promise<CollectionRow[]> {
  const { rows } = await db.query({
    name: prepared,
    text: `select c.n, own.name, c.space, c.dimensions, c.fields, c.options, c.graph,
       c.created_at as "createdAt"
     from crossmodal.names asked join crossmodal.collections c using (n)
       join crossmodal.names own on own.n = c.n and not own.alias
     where ${condition}`,
    values,
  });
  return rows.map((row) => ({ ...row, createdAt: row.createdAt.toISOString() }));
}

/** By its own name. @throws AppError not_found; conflict for an alias. */
async function getExact(db: Connection, name: string, lock?: Lock): Promise<CollectionRow> {
  const found = await getCollection(db, name, { lock });
  if (found.name === name) return found;
  const message = `"${name}" is an alias of the collection "${found.name}"`;
  throw new AppError("conflict", message, { param: "name" });
}

export async function createCollection(db: Connection, spec: CollectionSpec): Promise<void> {
  const fields = [...new Set(spec.fields ?? [])];
  const { rows } = await db.query(
    `insert into crossmodal.collections (space, dimensions, fields, options)
     values ($1, $2, $3, $4) returning n`,
    [spec.space, spec.dimensions, JSON.stringify(fields), JSON.stringify(spec.options ?? {})],
  );
  const [{ n }] = rows;
  await takeName(db, spec.name, n);
  await createTables(db, n, spec.dimensions);
  await indexFields(db, n, { from: 0, fields });
}

async function takeName(db: Connection, name: string, n: number): Promise<void> {
  const { rowCount } = await db.query(
    `insert into crossmodal.names (name, n, alias) values ($1, $2, false) on conflict do nothing`,
    [name, n],
  );
  if (rowCount === 1) return;
  const isAlias = (await findCollection(db, name))?.name !== name;
  const message = `The ${isAlias ? "alias" : "collection"} "${name}" already exists`;
  throw new AppError("already_exists", message, { param: "name" });
}

/** @param replace  a collection with the new name is dropped in the same transaction. */
export async function renameCollection(
  db: Connection,
  { from, to, replace }: { from: string; to: string; replace: boolean },
): Promise<void> {
  const { n } = await getExact(db, from, "update");
  if (from === to) return;
  const old = replace ? await findCollection(db, to, "update") : undefined;
  if (old?.name === to) {
    // Its aliases point to its replacement.
    await db.query("update crossmodal.names set n = $1 where n = $2 and alias", [n, old.n]);
    await dropCollection(db, old);
  }
  await db.query("delete from crossmodal.names where name = $1", [from]);
  await takeName(db, to, n);
}

/** @throws AppError not_found; conflict for an alias, and while aliases lead to the collection. */
export async function dropByName(db: Connection, name: string): Promise<void> {
  const collection = await getExact(db, name, "update");
  const aliases = await aliasesOf(db, collection.n);
  if (aliases.length > 0) {
    const message = `Aliases point to the collection "${name}": ${aliases.join(", ")}`;
    throw new AppError("conflict", message, { param: "name" });
  }
  await dropCollection(db, collection);
}

async function dropCollection(db: Connection, { n }: CollectionRow): Promise<void> {
  await db.query("delete from crossmodal.names where n = $1", [n]);
  await db.query("delete from crossmodal.mean_deltas where n = $1", [n]);
  await db.query("delete from crossmodal.vector_changes where n = $1", [n]);
  await db.query("delete from crossmodal.media where n = $1", [n]);
  await db.query("delete from crossmodal.collections where n = $1", [n]);
  await dropTables(db, n);
}

/** Declares other fields; indexes of leading fields that are the same stay. */
export async function setFields(
  db: Connection,
  name: string,
  wanted: readonly string[],
): Promise<void> {
  const { n, fields: old } = await getCollection(db, name, { lock: "update" });
  const fields = [...new Set(wanted)];
  const first = fields.findIndex((field, i) => field !== old[i]);
  const from = first < 0 ? Math.min(fields.length, old.length) : first;
  for (let i = from; i < old.length; i++)
    await db.query(`drop index crossmodal.items_${n}_field_${i}`);
  await indexFields(db, n, { from, fields });
  const values = [JSON.stringify(fields), n];
  await db.query("update crossmodal.collections set fields = $1 where n = $2", values);
}

/** Changes some of the options; the others stay. */
export async function setOptions(db: Connection, name: string, changed: JsonObject): Promise<void> {
  const { n, options } = await getCollection(db, name, { lock: "update" });
  const values = [JSON.stringify({ ...options, ...changed }), n];
  await db.query("update crossmodal.collections set options = $1 where n = $2", values);
}

export async function setAlias(db: Connection, alias: string, collection: string): Promise<void> {
  const { n } = await getCollection(db, collection, { lock: "share" });
  const { rowCount } = await db.query(
    `insert into crossmodal.names as old (name, n, alias) values ($1, $2, true)
     on conflict (name) do update set n = excluded.n where old.alias`,
    [alias, n],
  );
  if (rowCount === 0)
    throw new AppError("already_exists", `"${alias}" is a collection`, { param: "alias" });
}

export async function removeAlias(db: Connection, alias: string): Promise<void> {
  const { rowCount } = await db.query("delete from crossmodal.names where name = $1 and alias", [
    alias,
  ]);
  if (rowCount === 0)
    throw new AppError("not_found", `There is no alias "${alias}"`, { param: "alias" });
}

export async function aliasesOf(db: Connection, n: number): Promise<string[]> {
  const { rows } = await db.query(
    "select name from crossmodal.names where n = $1 and alias order by name",
    [n],
  );
  return rows.map(({ name }) => name);
}
