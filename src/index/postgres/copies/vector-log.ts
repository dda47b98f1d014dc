import { to as copyTo } from "pg-copy-streams";
import type { Connection } from "../connections.js";
import { type History, historyOf } from "../history.js";

/** Up to where somebody knows the vectors of a collection. */
export interface LogPosition {
  /** What was committed: a snapshot as PostgreSQL writes it, xmin:xmax:running. */
  snapshot: string;
  history: History;
}

/** Rows of the log older than this are removed: a server that was away for longer reads anew. */
const keptMinutes = 10;

/** What the caller's transaction sees, on a primary: a standby does not tell what runs. */
export async function positionOf(db: Connection): Promise<LogPosition> {
  const history = await historyOf(db);
  const { rows } = await db.query("select pg_current_snapshot()::text as snapshot");
  return { snapshot: rows[0].snapshot, history };
}

/**
 * Numbers of the vectors that were added, changed or removed between a position and what the
 * caller's transaction sees; vectors that others have changed since are not among them.
 * @returns undefined when they are more than `limit`, or cannot be known any more.
 */
export async function changedSince(
  db: Connection,
  n: number,
  { snapshot, history }: LogPosition,
  limit: number,
): Promise<number[] | undefined> {
  if ((await historyOf(db)) !== history) return undefined;
  const { rows } = await db.query(changesSince(n, "$1", limit + 1), [snapshot]);
  return knownChanges(
    rows.map(({ seq }) => seq),
    limit,
  );
}

/**
 * A statement that finds the `seq` of changed vectors, `limit` of them at most; null among them
 * says that others may be missing.
 * @param snapshot  placeholder of a position's.
 */
export const changesSince = (n: number, snapshot: string, limit: number): string =>
  `select distinct seq from crossmodal.vector_changes left join unnest(seqs) seq on true
   where n = ${n} and xid >= pg_snapshot_xmin(${snapshot}::pg_snapshot)
     and (seqs is null or not pg_visible_in_snapshot(xid, ${snapshot}::pg_snapshot))
   limit ${limit}`;

/** What such a statement found, if it is everything. */
export function knownChanges(seqs: readonly (number | null)[], limit: number) {
  const known = seqs.filter((seq) => seq !== null);
  return known.length === seqs.length && seqs.length <= limit ? known : undefined;
}

/**
 * Removes what is old. Of transactions that some snapshot may still take for running nothing goes:
 * a copy that is up to date must not look as if it had missed something.
 */
export async function trimLog(db: Connection, n: number, minutes = keptMinutes): Promise<void> {
  await db.query(
    `with old as (
       delete from crossmodal.vector_changes
       where n = $1 and at < clock_timestamp() - make_interval(mins => $2)
         and xid < pg_snapshot_xmin(pg_current_snapshot())
       returning xid
     )
     insert into crossmodal.vector_changes (n, xid)
     select $1, max(xid) from old having count(*) > 0`,
    [n, minutes],
  );
}

/** Rows of the vectors `from` on, or of these, as COPY writes them (copied-rows.ts). */
export async function copyVectors(
  db: Connection,
  n: number,
  which: { after: number; limit: number } | { seqs: readonly number[] },
): Promise<Uint8Array> {
  const condition =
    "seqs" in which
      ? `seq = any('{${which.seqs.join(",")}}'::bigint[])`
      : `seq > ${which.after} order by seq limit ${which.limit}`;
  const rows = `select seq, modality, embedding from crossmodal.vectors_${n} where ${condition}`;
  const chunks: Buffer[] = [];
  for await (const chunk of db.query(copyTo(`copy (${rows}) to stdout (format binary)`)))
    chunks.push(chunk);
  return Buffer.concat(chunks);
}
