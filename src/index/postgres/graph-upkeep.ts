import { outsideRuns } from "../../jobs/job-run.js";
import type { Log } from "../../log.js";
import { type CollectionRow, collectionByNumber } from "./collection-rows.js";
import { maxGraphDimensions } from "./collection-tables.js";
import type { Connection, Connections } from "./connections.js";
import { trimLog } from "./copies/vector-log.js";
import { foldDeltas } from "./modality-means.js";

/** Vectors that move into the graph in one transaction: about a second, at 4 ms each. */
const rowsAtOnce = 200;
/**
 * If this many wait, and they are a third of all, rebuilding the graph costs less than moving them.
 */
const rebuildFrom = 10_000;
const maxDeltas = 100;
/** Pause before a round begins: each costs a connection and a few statements. */
const pauseMs = 1000;
/** Memory per vector while a graph is built: its links, besides its numbers. */
const linkBytes = 400;
const maxBuildMemoryMb = 2048;

interface UpkeepOptions {
  /** A collection of this many items or more has a graph. */
  graphFrom: number;
  log?: Log;
}

/**
 * What is done after writes, by one server at a time: graphs are built once a collection is large,
 * vectors that came since move into them, the sums of the embeddings are folded and the log of
 * changes is trimmed.
 */
export class GraphUpkeep {
  readonly #connections: Connections;
  readonly #options: UpkeepOptions;
  readonly #waiting = new Set<number>();
  #running: Promise<void> | undefined;
  /** Ends the pause before the next round. */
  #wake = () => {};
  #isClosed = false;

  constructor(connections: Connections, options: UpkeepOptions) {
    this.#connections = connections;
    this.#options = options;
  }

  /** Schedules the upkeep of a collection, once for all writes until then. */
  schedule(n: number): void {
    if (this.#isClosed) return;
    this.#waiting.add(n);
    this.#running ??= outsideRuns(() => this.#run()).finally(() => {
      this.#running = undefined;
      for (const next of this.#waiting) this.schedule(next);
    });
  }

  /** Resolves when nothing is left to do. */
  async whenIndexed(): Promise<void> {
    while (this.#running !== undefined) {
      this.#wake();
      await this.#running;
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#waiting.clear();
    await this.whenIndexed();
  }

  async #run(): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, pauseMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    for (const n of this.#waiting) {
      this.#waiting.delete(n);
      await this.#keep(n).catch((error) => {
        this.#options.log?.warn({ err: error }, "a collection's graph could not be kept up");
      });
    }
  }

  /** If another server is already working on it, that one does the work. */
  #keep(n: number): Promise<void> {
    return this.#connections.session(async (db) => {
      const lock = await db.query(
        "select pg_try_advisory_lock(hashtext('crossmodal.graph'), $1::int) as taken",
        [n],
      );
      if (!lock.rows[0].taken) return;
      const collection = await collectionByNumber(db, n);
      if (collection === undefined) return;
      await this.#fold(n);
      if (collection.dimensions > maxGraphDimensions) return;
      const { rows } = await db.query(
        `select coalesce(sum(count), 0)::bigint as count,
           (select count(*) from crossmodal.vectors_${n} where tail) as waiting
         from crossmodal.mean_deltas where n = $1`,
        [n],
      );
      const [{ count, waiting }] = rows;
      const isDue = collection.graph === "none" && count >= this.#options.graphFrom;
      const isFarBehind = waiting > rebuildFrom && waiting > count / 3;
      if (isDue || isFarBehind || collection.graph === "building")
        await this.#build(db, collection, count);
      else if (collection.graph === "ready") await this.#moveTail(n);
    });
  }

  async #fold(n: number): Promise<void> {
    await this.#connections.write(async (db) => {
      // Shared: only `compact` must not sum the same embeddings meanwhile.
      if ((await collectionByNumber(db, n, "share")) === undefined) return;
      const { rows } = await db.query(
        "select count(*) as deltas from crossmodal.mean_deltas where n = $1",
        [n],
      );
      if (rows[0].deltas > maxDeltas) await foldDeltas(db, n);
      await trimLog(db, n);
    });
  }

  /** Searches compare with everything until it is there; writes go on. */
  async #build(db: Connection, { n, dimensions }: CollectionRow, count: number): Promise<void> {
    await this.#connections.write(async (tx) => {
      // Running writers end first; later ones leave their vectors in the tail.
      await tx.query("update crossmodal.collections set graph = 'building' where n = $1", [n]);
    });
    const index = `crossmodal.vectors_${n}_graph`;
    await db.query(`drop index if exists ${index}`); // left by an interrupted build
    await db.query(`update crossmodal.vectors_${n} set tail = false where tail`);
    const neededMb = Math.ceil((1.2 * count * (2 * dimensions + linkBytes)) / 2 ** 20);
    const memoryMb = Math.max(64, Math.min(maxBuildMemoryMb, neededMb));
    await db.query(`set maintenance_work_mem = '${memoryMb}MB'`);
    const create = `create index concurrently vectors_${n}_graph on crossmodal.vectors_${n}
      using hnsw ((embedding::halfvec(${dimensions})) halfvec_ip_ops)
      with (m = 16, ef_construction = 100) where not tail`;
    try {
      await db.query(create);
    } catch (error) {
      // Workers share the graph through /dev/shm, of which a container may have 64 MB.
      this.#options.log?.warn({ err: error }, "a graph is built again, by one process");
      await db.query(`drop index if exists ${index}`);
      await db.query("set max_parallel_maintenance_workers = 0");
      await db.query(create);
    }
    await db.query(`analyze crossmodal.vectors_${n}, crossmodal.items_${n}`);
    await db.query("update crossmodal.collections set graph = 'ready' where n = $1", [n]);
    await this.#moveTail(n);
  }

  async #moveTail(n: number): Promise<void> {
    for (let moved = rowsAtOnce; moved === rowsAtOnce && !this.#isClosed; ) {
      moved = await this.#connections.write(async (db) => {
        if ((await collectionByNumber(db, n, "share")) === undefined) return 0;
        const { rowCount } = await db.query(
          `update crossmodal.vectors_${n} set tail = false where seq in (
             select seq from crossmodal.vectors_${n} where tail order by seq limit ${rowsAtOnce}
             for update skip locked
           )`,
        );
        return rowCount ?? 0;
      });
    }
  }
}
