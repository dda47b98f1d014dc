import type { Connection, Connections } from "./connections.js";
import type { DatabaseRole } from "./primary.js";

/** A copy of the database that follows the primary. */
interface Standby {
  /** `application_name` in its `primary_conninfo`; Patroni takes the member's name. */
  name: string;
  /** `sync` and `quorum`: commits may wait for it; `potential`, `async`: they do not. */
  sync: string;
  /** Written by the primary and not applied here yet. */
  lagBytes: number;
  /** How much later than on the primary a change was applied here, of late. */
  lagSeconds: number;
}

export interface DatabaseCondition {
  role: DatabaseRole;
  /** The one furthest behind comes last. Absent where the database's user may not see them. */
  standbys?: Standby[];
}

/** Asks the database, now. */
export async function databaseCondition(connections: Connections): Promise<DatabaseCondition> {
  const standbys = await connections.read(standbysOf).catch(() => undefined);
  return { role: connections.role, ...(standbys && { standbys }) };
}

/**
 * A standby that has everything has no lag. One that hangs reports none either: it reports at least
 * every 10 seconds, so that a report of twice this age tells how long it has been gone.
 */
async function standbysOf(db: Connection): Promise<Standby[] | undefined> {
  const { rows } = await db.query(
    "select pg_has_role('pg_read_all_stats', 'usage') as visible, pg_current_wal_lsn() as lsn",
  );
  const [{ visible, lsn }] = rows;
  if (!visible) return undefined;
  const standbys = await db.query(
    `select application_name as name, sync_state as sync,
        greatest(0, pg_wal_lsn_diff($1, replay_lsn))::float8 as "lagBytes",
        case when replay_lsn >= $1 then 0 else extract(epoch from greatest(
          interval '0', replay_lag,
          case when reply_time < clock_timestamp() - interval '20 s'
            then clock_timestamp() - reply_time end
        ))::float8 end as "lagSeconds"
      from pg_stat_replication where state <> 'backup' and replay_lsn is not null
      order by "lagSeconds", "lagBytes"`,
    [lsn],
  );
  return standbys.rows;
}
