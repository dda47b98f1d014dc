import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Config } from "../config.js";
import { AppError } from "../errors.js";
import { openEmbeddedStore } from "../index/embedded/open-embedded-store.js";
import { type LazyStore, lazyStore } from "../index/lazy-store.js";
import { type WatchedStore, watchedStore } from "../index/watched-store.js";
import type { Log } from "../log.js";

/**
 * The collections. A server takes the data folder at once; what only might use it takes it at the
 * first use.
 */
export async function openStorage(
  { dataDir, indexEngine: engine }: Config,
  log: Log,
  ownsData: boolean,
): Promise<WatchedStore<LazyStore>> {
  const lazy = lazyStore(async () => {
    const opened = await openEmbeddedStore({ dataDir, engine, log });
    // Left by a process that was killed
    await rm(join(dataDir, "tmp"), { recursive: true, force: true });
    return opened;
  });
  const store = watchedStore(lazy);
  if (ownsData) {
    await store.open().catch((error) => {
      const goesOn = ["storage_failed", "storage_full"];
      if (!(error instanceof AppError) || !goesOn.includes(error.code)) throw error;
      log.error({ err: error }, "collections cannot be used");
    });
  }
  return store;
}
