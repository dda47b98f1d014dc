import { invalidInput } from "../../errors.js";
import type { Log } from "../../log.js";
import { parseAddress } from "./address.js";
import { listCollections } from "./collection-rows.js";
import type { ConnectionLimits } from "./connection-limits.js";
import { Connections } from "./connections.js";
import { type CopyLimits, ServerCopies } from "./copies/server-copies.js";
import { GraphUpkeep } from "./graph-upkeep.js";
import { ItemWriter } from "./item-writer.js";
import { refuseSharedSessions } from "./pooler.js";
import { PostgresStore } from "./postgres-store.js";
import { prepareSchema } from "./schema.js";
import type { ScanLimits } from "./search-plan.js";

export interface PostgresStoreOptions extends Partial<ConnectionLimits & ScanLimits & CopyLimits> {
  /** `postgres://user:password@host:5432,host2/database?sslmode=verify-full` */
  url: string;
  /** File with the password, in place of one in the address. */
  passwordFile?: string;
  /**
   * A collection of this many items or more has a graph. Default 50,000: comparing with all of them
   * costs about 40 ms, at 512 dimensions.
   */
  graphFrom?: number;
  /** Called with failures in the background. */
  log?: Log;
  /** Called once the store is closed. */
  onClose?: () => void;
}

/** @throws AppError `invalid_input` for the address. */
export function connectionsTo({
  url,
  passwordFile,
  ...limits
}: Pick<PostgresStoreOptions, "url" | "passwordFile" | keyof ConnectionLimits>): Connections {
  const address = parseAddress(url, passwordFile);
  if (limits.readsOnStandbys && address.hosts.length < 2)
    throw invalidInput("storeReads", "Expected several hosts in store, of which some are standbys");
  return new Connections(address, {
    maxConnections: 8,
    connectTimeoutMs: 5_000,
    queueTimeoutMs: 30_000,
    transactionTimeoutMs: 120_000,
    commitTimeoutMs: 15_000,
    readsOnStandbys: false,
    ...limits,
  });
}

/**
 * Opens collections in PostgreSQL with pgvector; makes its tables when there are none.
 * @throws AppError storage_unavailable when no primary answers, storage_failed when the database
 *   cannot be used as it is, invalid_input for the address.
 */
export async function openPostgresStore({
  url,
  passwordFile,
  graphFrom = 50_000,
  scanMatchesUpTo = 20_000, // about 15 ms
  scanHighUpTo = 100_000, // about 75 ms, as the graph takes there for the same recall
  maxCopyBytes = 2 ** 30,
  copyFrom = 2000,
  copyUpTo = 2_000_000, // about 40 ms
  log,
  onClose,
  ...limits
}: PostgresStoreOptions): Promise<PostgresStore> {
  const connections = connectionsTo({ url, passwordFile, ...limits });
  try {
    await refuseSharedSessions(connections);
    const vectorType = await connections.write(async (db) => {
      await prepareSchema(db);
      const { rows } = await db.query("select 'vector'::regtype::oid::int as oid");
      return rows[0].oid;
    });
    const upkeep = new GraphUpkeep(connections, { graphFrom, log });
    // Work that a stopped server left unfinished.
    for (const { n, graph } of await connections.read(listCollections))
      if (graph !== "none") upkeep.schedule(n);
    const copies = new ServerCopies(connections, { maxCopyBytes, copyFrom, copyUpTo }, log);
    const writer = new ItemWriter({ connections, upkeep, vectorType });
    const scanLimits = { scanMatchesUpTo, scanHighUpTo };
    return new PostgresStore({ connections, upkeep, copies, writer, limits: scanLimits, onClose });
  } catch (error) {
    await connections.close();
    throw error;
  }
}
