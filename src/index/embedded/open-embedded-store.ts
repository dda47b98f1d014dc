import type { Log } from "../../log.js";
import { startWorker } from "../../workers/start-worker.js";
import { SupervisedWorker } from "../../workers/supervise.js";
import { type WatchedStore, watchedStore } from "../watched-store.js";
import type { CoreOptions } from "./core-types.js";
import { lockDataFolder } from "./data-folder-lock.js";
import { EmbeddedStore } from "./embedded-store.js";
import { wasOpened } from "./inspect-database.js";

export interface EmbeddedStoreOptions {
  /** Created when it does not exist. One process at a time. */
  dataDir: string;
  /** Which library builds the graphs. Default `usearch`. */
  engine?: CoreOptions["engine"];
  /**
   * Up to this many items a collection is scanned and has no graph. Default 250,000: about 5 ms at
   * 512 dimensions.
   */
  scanUpTo?: number;
  /**
   * Up to this many items `high` scans even if there is a graph for `fast`. Default
   * 2,000,000: about 40 ms.
   */
  scanHighUpTo?: number;
  /** Rows that enter a graph before it is written to the disk again. Default 10,000. */
  snapshotAfter?: number;
  /** Largest database in pages of 16 KB. Default: as large as the disk. */
  maxPages?: number;
  /** Called when the thread ends unexpectedly and is restarted. */
  log?: Log;
}

/**
 * Opens the embedded driver: SQLite in the data folder is the truth, vectors are searched in
 * memory, all in one worker thread.
 *
 * @throws AppError storage_locked when another process has the folder; storage_failed,
 *   storage_corrupt.
 */
export async function openEmbeddedStore({
  log,
  ...options
}: EmbeddedStoreOptions): Promise<WatchedStore<EmbeddedStore>> {
  const limits = { scanUpTo: 250_000, scanHighUpTo: 2_000_000, snapshotAfter: 10_000 };
  const wasUsed = wasOpened(options.dataDir);
  const coreOptions: CoreOptions = { engine: "usearch", wasUsed, ...limits, ...options };
  const start = async () => {
    const worker = startWorker(new URL("./store-worker.js", import.meta.url), coreOptions);
    try {
      await worker.call("open", []);
      for (const note of await worker.call<string[]>("notes", [])) log?.warn(note);
      return worker;
    } catch (error) {
      await worker.close();
      throw error;
    }
  };
  // The lock is held here and not by the thread, so that no other process takes the folder while a
  // thread is replaced.
  const unlock = await lockDataFolder(options.dataDir);
  try {
    const worker = await SupervisedWorker.start({ name: "The store", start, log });
    return watchedStore(new EmbeddedStore(worker, unlock));
  } catch (error) {
    unlock();
    throw error;
  }
}
