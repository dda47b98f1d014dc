import type { ClientBase } from "pg";

/**
 * A database's history: which system it is, and its timeline. After a failover it is another one,
 * in which a transaction may be missing.
 */
export type History = string;

const histories = new WeakMap<ClientBase, History>();

/** Of a primary it stays the same for a connection: it ends with its server. */
export async function historyOf(db: ClientBase): Promise<History> {
  const known = histories.get(db);
  if (known !== undefined) return known;
  const { rows } = await db.query(
    `select system_identifier || '/' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8)
       as history from pg_control_system()`,
  );
  histories.set(db, rows[0].history);
  return rows[0].history;
}

/** Of a standby, which cannot name it in full: it was compared with that of its primary. */
export function setHistory(db: ClientBase, history: History): void {
  histories.set(db, history);
}

/** The connection leads to a primary: to one that was promoted, it may be. */
export function forgetHistory(db: ClientBase): void {
  histories.delete(db);
}
