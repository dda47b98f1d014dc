import type pg from "pg";
import { AppError } from "../../errors.js";
import type { DatabaseAddress, DatabaseHost } from "./address.js";
import { Clock } from "./clock.js";
import type { ConnectionLimits } from "./connection-limits.js";
import { databaseError, isLost, isTransient, unavailable } from "./database-error.js";
import { forgetHistory } from "./history.js";
import { HostPools } from "./host-pools.js";
import { whileRunHolds } from "./run-fence.js";
import { type Position, positionOfPrimary, Standbys } from "./standbys.js";

/** A connection inside a transaction. */
export type Connection = pg.PoolClient;

/** What the last transaction found: `standby` if one answers but no primary. */
export type DatabaseRole = "primary" | "standby" | "away";

type TransactionOptions = { signal?: AbortSignal };

/** Attempts of a transaction that collided with another one. */
const maxAttempts = 12;
const beginRead = "begin isolation level repeatable read read only";

/**
 * Connections to whichever of the hosts is the primary, and transactions on them. Pools outlive the
 * absence of their hosts: after a failover the next transaction finds the new primary.
 */
export class Connections {
  readonly #limits: ConnectionLimits;
  readonly #pools: HostPools;
  readonly #standbys: Standbys | undefined;
  /** Connections known to lead to a primary. */
  readonly #checked = new WeakSet<pg.PoolClient>();
  #current: DatabaseHost;
  #trouble: string | undefined;
  #role: DatabaseRole = "away";
  #isClosed = false;

  constructor(address: DatabaseAddress, limits: ConnectionLimits) {
    this.#limits = limits;
    this.#pools = new HostPools(address, limits);
    this.#standbys = limits.readsOnStandbys ? new Standbys(this.#pools) : undefined;
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

  /** As `read`, but on a standby where one has everything that was committed before. */
  readAnywhere<T>(
    work: (db: Connection) => Promise<T>,
    options: TransactionOptions = {},
  ): Promise<T> {
    // What fails on a standby is tried on the primary.
    const connect = async (attempt: number) =>
      (attempt === 1 && (await this.#standby())) || this.#connect();
    return this.#transaction(beginRead, work, { ...options, connect });
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
    await this.#pools.close();
  }

  async #transaction<T>(
    begin: string,
    work: (db: Connection) => Promise<T>,
    {
      signal,
      connect = () => this.#connect(),
    }: TransactionOptions & { connect?: (attempt: number) => Promise<Connection> },
  ): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      if (signal?.aborted) throw cancelled();
      const db = await connect(attempt);
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

  /** A connection to a standby that has all that the primary has now. */
  async #standby(): Promise<pg.PoolClient | undefined> {
    if (!this.#standbys?.mayAnswer(this.#current)) return undefined;
    const primary = await this.#connect();
    const clock = new Clock(primary, this.#limits.connectTimeoutMs, undefined);
    let position: Position;
    try {
      position = await positionOfPrimary(primary);
    } catch {
      clock.drop();
      return undefined;
    } finally {
      clock.end();
    }
    return this.#standbys.connect(this.#current, position);
  }

  /** A connection to the primary, tried first where it was last. */
  async #connect(): Promise<pg.PoolClient> {
    if (this.#isClosed) throw new AppError("cancelled", "The server is shutting down");
    const { hosts } = this.#pools;
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
    const db = await this.#pools.connect(host);
    if (this.#checked.has(db)) return db;
    try {
      const { rows } = await db.query("select pg_is_in_recovery() as standby");
      if (rows[0].standby) {
        db.release(true);
        return "standby";
      }
      forgetHistory(db);
      this.#checked.add(db);
      return db;
    } catch (error) {
      db.release(true);
      throw error;
    }
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
