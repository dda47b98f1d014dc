import type pg from "pg";
import { AppError } from "../../errors.js";
import type { DatabaseHost } from "./address.js";
import { databaseError, unavailable } from "./database-error.js";
import { forgetHistory } from "./history.js";
import type { HostPools } from "./host-pools.js";

/** What the last attempt to connect found: `standby` if one answers but no primary. */
export type DatabaseRole = "primary" | "standby" | "away";

/** Whichever of the hosts is the primary at the moment. */
export class Primary {
  readonly #pools: HostPools;
  /** Connections known to lead to a primary. */
  readonly #checked = new WeakSet<pg.PoolClient>();
  #host: DatabaseHost;
  #trouble: string | undefined;
  #role: DatabaseRole = "away";
  #isClosed = false;

  constructor(pools: HostPools) {
    this.#pools = pools;
    this.#host = pools.hosts[0];
  }

  /** Where it was last. */
  get host(): DatabaseHost {
    return this.#host;
  }

  /** Why the last attempt to connect found none. */
  get trouble(): string | undefined {
    return this.#trouble;
  }

  get role(): DatabaseRole {
    return this.#role;
  }

  /** Nobody connects after that. */
  close(): void {
    this.#isClosed = true;
  }

  /** A connection to it, tried first where it was last. */
  async connect(): Promise<pg.PoolClient> {
    if (this.#isClosed) throw new AppError("cancelled", "The server is shutting down");
    const { hosts } = this.#pools;
    const failures: AppError[] = [];
    let role: DatabaseRole = "away";
    for (const host of [this.#host, ...hosts.filter((other) => other !== this.#host)]) {
      try {
        const db = await this.#connectTo(host);
        if (db === "standby") {
          role = "standby";
          failures.push(unavailable(`${host.host}:${host.port} is a standby`));
          continue;
        }
        this.#host = host;
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
    // It may have been idle since a read on a standby, which can be paused by now.
    const isStandby = () => db.query("select pg_is_in_recovery() as standby");
    const { rows } = await this.#pools.ask(db, isStandby);
    if (rows[0].standby) {
      db.release(true);
      return "standby";
    }
    forgetHistory(db);
    this.#checked.add(db);
    return db;
  }
}
