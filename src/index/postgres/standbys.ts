import type pg from "pg";
import type { DatabaseHost } from "./address.js";
import { Clock } from "./clock.js";
import { type History, historyOf, setHistory } from "./history.js";
import type { HostPools } from "./host-pools.js";

/** What a primary had committed at one moment. */
export interface Position {
  /** Of its log; everything that was acknowledged is before it. */
  lsn: string;
  history: History;
}

/** For a standby to answer, or to be connected to; the primary answers where it does not. */
const timeoutMs = 1000;
/** For a standby that did not answer, or is none. */
const pauseMs = 10_000;

export async function positionOfPrimary(db: pg.ClientBase): Promise<Position> {
  const history = await historyOf(db);
  const { rows } = await db.query({
    name: "wal_position", // prepared: it is asked for each read
    // Where commits do not wait for the disk they are acknowledged before they are flushed.
    text: `select case current_setting('synchronous_commit') when 'off'
      then pg_current_wal_insert_lsn() else pg_current_wal_flush_lsn() end as lsn`,
  });
  return { lsn: rows[0].lsn, history };
}

/**
 * The hosts that follow the primary, for reads. Each is asked before each read whether it has
 * everything that the primary had: one that is behind is not waited for.
 */
export class Standbys {
  readonly #pools: HostPools;
  readonly #pausedUntil = new Map<DatabaseHost, number>();
  #turn = 0;

  constructor(pools: HostPools) {
    this.#pools = pools;
  }

  /** Whether it is worth asking the primary for its position. */
  mayAnswer(primary: DatabaseHost): boolean {
    return this.#candidates(primary).length > 0;
  }

  /** A connection outside a transaction to a standby that has come to a position, if one has. */
  async connect(primary: DatabaseHost, position: Position): Promise<pg.PoolClient | undefined> {
    const candidates = this.#candidates(primary);
    this.#turn++;
    for (const i of candidates.keys()) {
      const host = candidates[(this.#turn + i) % candidates.length];
      try {
        const db = await this.#connectTo(host);
        if (await this.#isAt(db, position)) return db;
      } catch {
        this.#pausedUntil.set(host, performance.now() + pauseMs);
      }
    }
    return undefined;
  }

  #candidates(primary: DatabaseHost): DatabaseHost[] {
    const now = performance.now();
    const isPaused = (host: DatabaseHost) => (this.#pausedUntil.get(host) ?? 0) > now;
    return this.#pools.hosts.filter((host) => host !== primary && !isPaused(host));
  }

  async #connectTo(host: DatabaseHost): Promise<pg.PoolClient> {
    const connecting = this.#pools.connect(host);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        reject(new Error("not in time"));
        connecting.then((db) => db.release(true)).catch(() => undefined);
      }, timeoutMs);
    });
    try {
      return await Promise.race([connecting, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Releases the connection unless it is. @throws when it leads to no standby that answers. */
  async #isAt(db: pg.PoolClient, { lsn, history }: Position): Promise<boolean> {
    const clock = new Clock(db, timeoutMs, undefined);
    try {
      // Before the transaction of the read: what that sees must not be older than the answer.
      const { rows } = await db.query({
        name: "standby_position",
        text: `select pg_is_in_recovery() and pg_last_wal_replay_lsn() >= $1 as reached,
            system_identifier || '/' || lpad(upper(to_hex(${timeline})), 8, '0') as history
          from pg_control_system()`,
        values: [lsn],
      });
      const [found] = rows;
      // Of another history the same position is another one.
      if (found.reached && found.history === history) {
        setHistory(db, history);
        clock.keep();
        return true;
      }
      clock.end();
      return false;
    } catch (error) {
      clock.drop();
      throw error;
    }
  }
}

/**
 * The timeline that a standby applies, or an earlier one: the control file lags behind until the
 * next checkpoint, and what is received is only shown to members of pg_monitor. What is received
 * may be of a later one than what is applied, but who has applied all that the primary of that
 * timeline had has come to it too.
 */
const timeline = `greatest(
  (select timeline_id from pg_control_checkpoint()),
  (select min_recovery_end_timeline from pg_control_recovery()),
  (select received_tli from pg_stat_wal_receiver))`;
