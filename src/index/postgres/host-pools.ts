import pg from "pg";
import type { DatabaseAddress, DatabaseHost } from "./address.js";
import type { ConnectionLimits } from "./connection-limits.js";

const int8 = 20;

/**
 * A pool of connections for each host of a database, made when the host is first tried; it outlives
 * the host's absence.
 */
export class HostPools {
  readonly #address: DatabaseAddress;
  readonly #limits: ConnectionLimits;
  readonly #pools = new Map<DatabaseHost, pg.Pool>();

  constructor(address: DatabaseAddress, limits: ConnectionLimits) {
    this.#address = address;
    this.#limits = limits;
  }

  get hosts(): readonly DatabaseHost[] {
    return this.#address.hosts;
  }

  connect(host: DatabaseHost): Promise<pg.PoolClient> {
    let pool = this.#pools.get(host);
    if (pool === undefined) {
      pool = this.#poolFor(host);
      this.#pools.set(host, pool);
    }
    return pool.connect();
  }

  async close(): Promise<void> {
    await Promise.all([...this.#pools.values()].map((pool) => pool.end()));
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
      // Each keeps the plans of its prepared statements, also those of collections that are gone.
      maxLifetimeSeconds: 3600,
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
