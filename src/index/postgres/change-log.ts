import { AppError } from "../../errors.js";
import { currentRun } from "../../jobs/job-run.js";
import { replacedMeanwhile } from "../check-space.js";
import type { Changes, Watch } from "../vector-store.js";
import { collectionByNumber, getCollection, renameCollection } from "./collection-rows.js";
import type { Connection, Connections } from "./connections.js";
import { databaseError } from "./database-error.js";
import { whileRunHolds } from "./run-fence.js";

/**
 * Follows the writes of every server to a collection: triggers record the ids of changed items in
 * the writers' own transactions. A watcher holds a connection with a lock on the collection's
 * number: when that is lost, so is the watch, and the next one starts over.
 */
export function watchCollection(connections: Connections, name: string): Promise<Watch> {
  let release = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  return new Promise<Watch>((resolve, reject) => {
    connections
      .session(async (db) => {
        const n = await begin(db, name);
        resolve(watchOf(db, { n, name }, release));
        await released;
      })
      .catch(reject);
  });
}

function watchOf(db: Connection, at: { n: number; name: string }, release: () => void): Watch {
  let isOver = false;
  return {
    take: () => asOurs(take(db, at.n)),
    async replaceBy(copy, catchUp) {
      const replace = inTransaction(db, async () => {
        // Running writers end before this lock is obtained, and later ones wait for it.
        const { n } = await getCollection(db, at.name, { lock: "update" });
        if (n !== at.n) throw replacedMeanwhile(at.name);
        await catchUp(await take(db, n));
        await dropLog(db, n);
        await renameCollection(db, { from: copy, to: at.name, replace: true });
      });
      await asOurs(replace);
      isOver = true;
    },
    async end() {
      try {
        if (!isOver) await inTransaction(db, () => dropLog(db, at.n));
        // Closing the connection frees it too, but a moment later.
        await db.query("select pg_advisory_unlock_all()");
      } catch {
        // The connection is gone; the next watch of this collection removes what it left.
      } finally {
        isOver = true;
        release();
      }
    },
  };
}

/** @returns the collection's number. */
async function begin(db: Connection, name: string): Promise<number> {
  const { n } = await getCollection(db, name);
  if (!(await lock(db, n)) && !(await lockInPlaceOfOther(db, n))) {
    const message = `The collection "${name}" is being projected again by another server`;
    throw new AppError("conflict", message, { param: "collection" });
  }
  await inTransaction(db, async () => {
    // Running writers end first, so the log misses none that ends later.
    if ((await collectionByNumber(db, n, "update")) === undefined) throw replacedMeanwhile(name);
    await dropLog(db, n);
    const note = `for each statement execute function crossmodal.note_changes_${n}()`;
    const on = `on crossmodal.items_${n} referencing`;
    await db.query(`
      create table crossmodal.changes_${n} (id text not null);
      create function crossmodal.note_changes_${n}() returns trigger language plpgsql as $$
      begin
        insert into crossmodal.changes_${n} select id from changed;
        return null;
      end $$;
      create trigger watch_come after insert ${on} new table as changed ${note};
      create trigger watch_changed after update ${on} new table as changed ${note};
      create trigger watch_gone after delete ${on} old table as changed ${note}`);
  });
  return n;
}

async function lock(db: Connection, n: number): Promise<boolean> {
  const { rows } = await db.query(
    "select pg_try_advisory_lock(hashtext('crossmodal.watch'), $1::int) as taken",
    [n],
  );
  return rows[0].taken;
}

/**
 * Jobs that watch run one at a time across all servers: if another server holds the lock while one
 * runs, it hangs and has lost its job.
 */
async function lockInPlaceOfOther(db: Connection, n: number): Promise<boolean> {
  if (currentRun() === undefined) return false;
  await whileRunHolds(
    db,
    `select pg_terminate_backend(pid, 5000) from pg_locks
      where locktype = 'advisory' and granted and pid <> pg_backend_pid()
        and classid = (hashtext('crossmodal.watch')::bigint & 4294967295)::oid
        and objid = ${n} and database = (
          select oid from pg_database where datname = current_database())`,
  );
  return lock(db, n);
}

async function take(db: Connection, n: number): Promise<Changes> {
  const { rows } = await db.query(`delete from crossmodal.changes_${n} returning id`);
  return { ids: new Set(rows.map(({ id }) => id)), byFilter: [] };
}

/** The triggers go with their function. */
async function dropLog(db: Connection, n: number): Promise<void> {
  await db.query(`drop function if exists crossmodal.note_changes_${n} cascade;
    drop table if exists crossmodal.changes_${n}`);
}

async function asOurs<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw databaseError(error);
  }
}

async function inTransaction(db: Connection, work: () => Promise<void>): Promise<void> {
  await db.query("begin");
  try {
    await work();
    await whileRunHolds(db, "commit");
  } catch (error) {
    await db.query("rollback").catch(() => undefined);
    throw error;
  }
}
