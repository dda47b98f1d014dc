import { AppError } from "../../errors.js";
import type { Connection } from "./connections.js";
import { schemaUpgrades } from "./schema-upgrades.js";

const oldestServer = 16;
/** The first pgvector that keeps searching the graph while a filter has left too few items. */
const oldestPgvector = [0, 8];

/**
 * Makes the tables in an empty database and brings older ones up to date; servers that start
 * together wait for each other.
 * @param upgrades  those that this server knows.
 * @throws AppError storage_failed, in words for whoever set the database up.
 */
export async function prepareSchema(
  db: Connection,
  upgrades: readonly string[] = schemaUpgrades,
): Promise<void> {
  await db.query("select pg_advisory_xact_lock(hashtext('crossmodal.schema'))");
  await checkServer(db);
  await checkPgvector(db);
  await forSetUp(db, "create schema if not exists crossmodal");
  await db.query("create table if not exists crossmodal.version (version int not null)");
  const { rows } = await db.query("select version from crossmodal.version");
  const version: number = rows[0]?.version ?? 0;
  const current = upgrades.length;
  if (version > current) {
    const message =
      `The database was made by a newer crossmodal (its tables have version ${version}, this one ` +
      `knows ${current}); start the newer one`;
    throw new AppError("storage_failed", message);
  }
  if (version === current) return;
  for (const upgrade of upgrades.slice(version)) await db.query(upgrade);
  await db.query("delete from crossmodal.version");
  await db.query("insert into crossmodal.version values ($1)", [current]);
}

async function checkServer(db: Connection): Promise<void> {
  const { rows } = await db.query("select current_setting('server_version_num')::int as version");
  const major = Math.floor(rows[0].version / 10_000);
  if (major >= oldestServer) return;
  const message = `The database is PostgreSQL ${major}; expected ${oldestServer} or later`;
  throw new AppError("storage_failed", message);
}

async function checkPgvector(db: Connection): Promise<void> {
  const { rows } = await db.query(
    "select default_version, installed_version from pg_available_extensions where name = 'vector'",
  );
  if (rows.length === 0) {
    const message =
      "The database's server has no pgvector; install it there (package " +
      "postgresql-<version>-pgvector, or an image like pgvector/pgvector)";
    throw new AppError("storage_failed", message);
  }
  if (rows[0].installed_version === null) await forSetUp(db, "create extension vector");
  const version: string = rows[0].installed_version ?? rows[0].default_version;
  const [major, minor] = version.split(".").map(Number);
  if (major > oldestPgvector[0] || minor >= oldestPgvector[1]) return;
  const oldest = oldestPgvector.join(".");
  const message =
    `The database has pgvector ${version}; expected ${oldest} or later ` +
    "(ALTER EXTENSION vector UPDATE)";
  throw new AppError("storage_failed", message);
}

/** A statement for which the server's own user may lack the right. */
async function forSetUp(db: Connection, statement: string): Promise<void> {
  try {
    await db.query(statement);
  } catch (cause) {
    if ((cause as { code?: string }).code !== "42501") throw cause;
    const message = `The user may not run "${statement}"; ask an administrator to run it once`;
    throw new AppError("storage_failed", message, { cause });
  }
}
