import pg from "pg";
import type { DatabaseAddress, DatabaseHost } from "./address.js";
import { Clock } from "./clock.js";
import type { ConnectionLimits } from "./connection-limits.js";
import { unavailable } from "./database-error.js";

const int8 = 20;

/**
 * A pool of connections for each host of a database, made when the host is first tried; it outlives
 * the host's absence.
 */
export class HostPools {
  readonly #address: DatabaseAddress;
  readonly #limits: ConnectionLimits;
  readonly #pools = new Map<DatabaseHost, pg.Pool>();
  readonly #prepared = new WeakSet<pg.PoolClient>();

  constructor(address: DatabaseAddress, limits: ConnectionLimits) {
    this.#address = address;
    this.#limits = limits;
  }

  get hosts(): readonly DatabaseHost[] {
    return this.#address.hosts;
  }

  async connect(host: DatabaseHost): Promise<pg.PoolClient> {
    let pool = this.#pools.get(host);
    if (pool === undefined) {
      pool = this.#poolFor(host);
      this.#pools.set(host, pool);
    }
    const db = await pool.connect();
    if (!this.#prepared.has(db)) await this.#prepare(db);
    return db;
  }

  /**
   * A server that is gone must not leave statements and locks behind. By a statement: poolers
   * refuse parameters at the start of a connection, or ignore them.
   */
  async #prepare(db: pg.PoolClient): Promise<void> {
    const { transactionTimeoutMs } = this.#limits;
    await this.ask(db, () =>
      db.query(`set statement_timeout = ${transactionTimeoutMs};
        set lock_timeout = ${transactionTimeoutMs};
        set idle_in_transaction_session_timeout = ${transactionTimeoutMs};
        set client_connection_check_interval = 1000`),
    );
    this.#prepared.add(db);
  }

  /**
   * Asks something short outside a transaction. A connection that fails, or has not answered within
   * `connectTimeoutMs`, is closed. @throws AppError `storage_unavailable` for the latter.
   */
  async ask<T>(db: pg.PoolClient, question: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    const clock = new Clock(db, this.#limits.connectTimeoutMs, signal);
    try {
      return await question();
    } catch (error) {
      clock.drop();
      throw clock.hasEnded ? unavailable("it did not answer in time", error) : error;
    } finally {
      clock.keep();
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#pools.values()].map((pool) => pool.end()));
  }

  #poolFor({ host, port }: DatabaseHost): pg.Pool {
    const { user, password, database, ssl } = this.#address;
    const { maxConnections, connectTimeoutMs, queueTimeoutMs } = this.#limits;
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
      // Each keeps the plans of its prepared statements, also those of collections that are gone.
      maxLifetimeSeconds: 3600,
      application_name: "crossmodal",
    });
    // Without listeners the loss of a connection, idle or between two statements, would end the
    // process.
    pool.on("error", () => undefined);
    pool.on("connect", (db) => db.on("error", () => undefined));
    return pool;
  }
}
