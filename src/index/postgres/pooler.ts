import { AppError } from "../../errors.js";
import type { Connection, Connections } from "./connections.js";

/**
 * Locks, prepared statements and time limits belong to a connection. A pooler that gives it to
 * another client after each transaction, as PgBouncer in transaction mode, shows what one client
 * has set to another.
 * @throws AppError storage_failed behind such a pooler.
 */
export async function refuseSharedSessions(connections: Connections): Promise<void> {
  const mark = "crossmodal.session";
  const isShared = await connections.session(async (one) => {
    if (!(await isPooled(one))) return false;
    await one.query(`set ${mark} = 'marked'`);
    return connections.session(async (other) => {
      const { rows } = await other.query("select current_setting($1, true) as mark", [mark]);
      return rows[0].mark === "marked";
    });
  });
  if (!isShared) return;
  const message =
    "The database is behind a pooler that gives a connection to another client after each " +
    "transaction; crossmodal needs connections of its own (PgBouncer: pool_mode = session)";
  throw new AppError("storage_failed", message);
}

/** A pooler tells its clients other process numbers than the database has. */
async function isPooled(db: Connection): Promise<boolean> {
  const { rows } = await db.query("select pg_backend_pid() as pid");
  return (db as Connection & { processID?: number }).processID !== rows[0].pid;
}
