import type pg from "pg";
import { AppError } from "../../errors.js";
import type { DatabaseAddress } from "./address.js";
import { Clock } from "./clock.js";
import type { ConnectionLimits } from "./connection-limits.js";
import { databaseError, isLost, isTransient, unavailable } from "./database-error.js";
import { HostPools } from "./host-pools.js";
import { type DatabaseRole, Primary } from "./primary.js";
import { whileRunHolds } from "./run-fence.js";
import { type Position, positionOfPrimary, Standbys } from "./standbys.js";

/** A connection inside a transaction. */
export type Connection = pg.PoolClient;

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
  readonly #primary: Primary;
  readonly #standbys: Standbys | undefined;

  constructor(address: DatabaseAddress, limits: ConnectionLimits) {
    this.#limits = limits;
    this.#pools = new HostPools(address, limits);
    this.#primary = new Primary(this.#pools);
    this.#standbys = limits.readsOnStandbys ? new Standbys(this.#pools) : undefined;
  }

  /** Why the last transaction found no database. */
  get trouble(): string | undefined {
    return this.#primary.trouble;
  }

  get role(): DatabaseRole {
    return this.#primary.role;
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
      (attempt === 1 && (await this.#standby(options.signal))) || this.#primary.connect();
    return this.#transaction(beginRead, work, { ...options, connect });
  }

  /**
   * As `readAnywhere`, a single statement, which sees one state of the database by itself: a
   * transaction around it takes two messages more.
   * @returns undefined when the connection is lost, a table is gone or the answer takes long: a
   *   transaction finds out more.
   */
  async readAtOnce<T>(
    work: (db: Connection) => Promise<T>,
    { signal }: TransactionOptions = {},
  ): Promise<T | undefined> {
    if (signal?.aborted) throw cancelled();
    const db = (await this.#standby(signal)) ?? (await this.#primary.connect());
    const clock = new Clock(db, this.#limits.connectTimeoutMs / 2, signal);
    try {
      return await work(db);
    } catch (error) {
      if (signal?.aborted) throw cancelled();
      if (clock.hasEnded || isLost(error)) clock.drop();
      else if (!isTransient(error)) throw databaseError(error);
      return undefined;
    } finally {
      clock.end();
    }
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
    const db = await this.#primary.connect();
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
    this.#primary.close();
    await this.#pools.close();
  }

  async #transaction<T>(
    begin: string,
    work: (db: Connection) => Promise<T>,
    {
      signal,
      connect = () => this.#primary.connect(),
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
      // Transactions that collided must not collide again, however slow the machine is.
      const pauseMs = Math.min(1000, 5 * 2 ** attempt) * Math.random();
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }

  /**
   * A connection to a standby that has all that the primary has now.
   * @throws AppError `storage_unavailable` when the primary does not answer.
   */
  async #standby(signal: AbortSignal | undefined): Promise<pg.PoolClient | undefined> {
    if (!this.#standbys?.mayAnswer(this.#primary.host)) return undefined;
    const primary = await this.#primary.connect();
    let position: Position;
    try {
      position = await this.#pools.ask(primary, () => positionOfPrimary(primary), signal);
    } catch (error) {
      if (signal?.aborted) throw cancelled();
      if (error instanceof AppError) throw error;
      return undefined; // a connection that died in the pool only fails now
    }
    primary.release();
    return this.#standbys.connect(this.#primary.host, position);
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
