import pg from "pg";
import { AppError } from "../../errors.js";
import type { DatabaseAddress, DatabaseHost } from "./address.js";
import { Clock } from "./clock.js";
import { databaseError, isLost, isTransient, unavailable } from "./database-error.js";
import { whileRunHolds } from "./run-fence.js";

/** A connection inside a transaction. */
export type Connection = pg.PoolClient;

export interface ConnectionLimits {
  /** Connections that are open at once. */
  maxConnections: number;
  /** For a connection to be made, or to answer: a paused database never does. */
  connectTimeoutMs: number;
  /** For one to become free while all are busy. */
  queueTimeoutMs: number;
  /** For a whole transaction; the database's own limit for one statement is the same. */
  transactionTimeoutMs: number;
  /** For a commit, which may wait for a standby without a limit of the database. */
  commitTimeoutMs: number;
}

/** What the last transaction found: `standby` if one answers but no primary. */
export type DatabaseRole = "primary" | "standby" | "away";

type TransactionOptions = { signal?: AbortSignal };

/** Attempts of a transaction that collided with another one. */
const maxAttempts = 12;
const int8 = 20;
const beginRead = "begin isolation level repeatable read read only";

/**
 * Connections to whichever of the hosts is the primary, and transactions on them. A pool for each
 * host is made when the host is first tried, and outlives the host's absence: after a failover the
 * next transaction finds the new primary.
 */
export class Connections {
  readonly #address: DatabaseAddress;
  readonly #limits: ConnectionLimits;
  readonly #pools = new Map<DatabaseHost, pg.Pool>();
  /** Connections known to lead to a primary. */
  readonly #checked = new WeakSet<pg.PoolClient>();
  #current: DatabaseHost;
  #trouble: string | undefined;
  #role: DatabaseRole = "away";
  #isClosed = false;

  constructor(address: DatabaseAddress, limits: ConnectionLimits) {
    this.#address = address;
    this.#limits = limits;
    this.#current = address.hosts[0];
  }

  /** Why the last transaction found no database. */
  get trouble(): string | undefined {
    return this.#trouble;
  }

  get role(): DatabaseRole {
    return this.#role;
  }

  /** Reads that all see one state of the database. */
  read<T>(work: (db: Connection) => Promise<T>, options: TransactionOptions = {}): Promise<T> {
    return this.#transaction(beginRead, work, options);
  }

  /**
   * What `work` writes is durable when this resolves. `work` may run more than once. As part of a
   * job it is only stored while the job is this server's.
   */
  write<T>(work: (db: Connection) => Promise<T>, options: TransactionOptions = {}): Promise<T> {
    return this.#transaction("begin", work, options);
  }

  /** A connection outside of a transaction, for work without a time limit. */
  async session<T>(work: (db: Connection) => Promise<T>): Promise<T> {
    const db = await this.#connect();
    try {
      await db.query("set statement_timeout = 0");
      return await work(db);
    } catch (error) {
      throw databaseError(error);
    } finally {
      // Its settings end with it, and its locks before the caller continues.
      await db.query("select pg_advisory_unlock_all()").catch(() => undefined);
      db.release(true);
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([...this.#pools.values()].map((pool) => pool.end()));
  }

  async #transaction<T>(
    begin: string,
    work: (db: Connection) => Promise<T>,
    { signal }: TransactionOptions,
  ): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      if (signal?.aborted) throw cancelled();
      const db = await this.#connect();
      const clock = new Clock(db, this.#limits.connectTimeoutMs, signal);
      let isCommitting = false;
      try {
        await db.query(begin);
        clock.restart(this.#limits.transactionTimeoutMs);
        const result = await work(db);
        isCommitting = true;
        clock.restart(this.#limits.commitTimeoutMs);
        await (begin === beginRead ? db.query("commit") : whileRunHolds(db, "commit"));
        return result;
      } catch (error) {
        if (signal?.aborted) throw cancelled();
        if (clock.hasEnded || isLost(error)) {
          clock.drop();
          // Nothing was written yet, and a connection that died in the pool only fails now.
          if (!isCommitting && !clock.hasEnded && attempt === 1) continue;
          throw isCommitting ? unknownOutcome(error) : lostOn(clock, error);
        }
        await db.query("rollback").catch(() => clock.drop());
        if (!isTransient(error) || attempt === maxAttempts) throw databaseError(error);
      } finally {
        clock.end();
      }
      // Transactions that collided must not collide again.
      await new Promise((resolve) => setTimeout(resolve, 10 * attempt * Math.random()));
    }
  }

  /** A connection to the primary, tried first where it was last. */
  async #connect(): Promise<pg.PoolClient> {
    if (this.#isClosed) throw new AppError("cancelled", "The server is shutting down");
    const { hosts } = this.#address;
    const failures: AppError[] = [];
    let role: DatabaseRole = "away";
    for (const host of [this.#current, ...hosts.filter((other) => other !== this.#current)]) {
      try {
        const db = await this.#connectTo(host);
        if (db === "standby") {
          role = "standby";
          failures.push(unavailable(`${host.host}:${host.port} is a standby`));
          continue;
        }
        this.#current = host;
        this.#trouble = undefined;
        this.#role = "primary";
        return db;
      } catch (error) {
        failures.push(databaseError(error));
      }
    }
    // A configuration error says more than a database that is away.
    const error = failures.find(({ code }) => code !== "storage_unavailable") ?? failures[0];
    this.#trouble = error.message;
    this.#role = role;
    throw error;
  }

  async #connectTo(host: DatabaseHost): Promise<pg.PoolClient | "standby"> {
    let pool = this.#pools.get(host);
    if (pool === undefined) {
      pool = this.#poolFor(host);
      this.#pools.set(host, pool);
    }
    const db = await pool.connect();
    if (this.#checked.has(db)) return db;
    try {
      const { rows } = await db.query("select pg_is_in_recovery() as standby");
      if (rows[0].standby) {
        db.release(true);
        return "standby";
      }
      this.#checked.add(db);
      return db;
    } catch (error) {
      db.release(true);
      throw error;
    }
  }

  #poolFor({ host, port }: DatabaseHost): pg.Pool {
    const { user, password, database, ssl } = this.#address;
    const { maxConnections, connectTimeoutMs, queueTimeoutMs, transactionTimeoutMs } = this.#limits;
    const types = {
      getTypeParser: (type: number, format?: "text" | "binary") =>
        // Rows are counted in numbers, not in text: 2^53 is enough.
        type === int8 && format !== "binary" ? Number : pg.types.getTypeParser(type, format),
    } as pg.CustomTypesConfig;
    const pool = new pg.Pool({
      ...{ host, port, user, password, database, ssl, types },
      max: maxConnections,
      connectionTimeoutMillis: queueTimeoutMs,
      Client: class extends pg.Client {
        constructor(config?: pg.ClientConfig) {
          // The pool hides the password from anyone who inspects its options.
          super({ ...config, password, connectionTimeoutMillis: connectTimeoutMs });
        }
      },
      keepAlive: true,
      application_name: "crossmodal",
      // A server that is gone must not leave statements and locks behind.
      options: [
        `-c statement_timeout=${transactionTimeoutMs}`,
        `-c lock_timeout=${transactionTimeoutMs}`,
        `-c idle_in_transaction_session_timeout=${transactionTimeoutMs}`,
        "-c client_connection_check_interval=1000",
      ].join(" "),
    });
    // Without listeners the loss of a connection, idle or between two statements, would end the
    // process.
    pool.on("error", () => undefined);
    pool.on("connect", (db) => db.on("error", () => undefined));
    return pool;
  }
}

const cancelled = () => new AppError("cancelled", "The request was cancelled");

const lostOn = ({ hasEnded }: Clock, error: unknown) =>
  hasEnded ? unavailable("it did not answer in time", error) : databaseError(error);

function unknownOutcome(error: unknown): AppError {
  const reason =
    "the connection was lost while it committed, so that it may or may not have stored this; " +
    "send it again";
  return unavailable(reason, error);
}
