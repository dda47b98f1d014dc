import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Config } from "../config.js";
import { AppError } from "../errors.js";
import { lockDataFolder } from "../index/embedded/data-folder-lock.js";
import { openEmbeddedStore } from "../index/embedded/open-embedded-store.js";
import { type LazyStore, lazyStore } from "../index/lazy-store.js";
import { openPostgresStore } from "../index/postgres/open-postgres-store.js";
import type { PostgresStore } from "../index/postgres/postgres-store.js";
import { KeptMedia } from "../kept-media/kept-media.js";
import { withKeptMedia } from "../kept-media/with-kept-media.js";
import type { Log } from "../log.js";

/** The collections, and the pictures and sounds that they keep. */
export interface Storage {
  store: LazyStore;
  keptMedia: KeptMedia;
}

/** Both in the data folder. A server takes it at once, a command at the first use. */
export async function openStorage(config: Config, log: Log, ownsData: boolean): Promise<Storage> {
  const { dataDir, indexEngine: engine, maxKeptMediaBytes: maxBytes } = config;
  const lazy = lazyStore(async () => {
    const opened =
      config.store === ""
        ? await openEmbeddedStore({ dataDir, engine, log })
        : await openDatabase(config, log);
    // Left by a killed process
    await rm(join(dataDir, "tmp"), { recursive: true, force: true });
    void keptMedia.start();
    return opened;
  });
  const keptMedia = new KeptMedia({ folder: join(dataDir, "media"), maxBytes, store: lazy, log });
  const store = withKeptMedia(lazy, keptMedia);
  if (ownsData) {
    await store.open().catch((error) => {
      if (!(error instanceof AppError) || !goesOn(error, config)) throw error;
      log.error({ err: error }, `collections cannot be used: ${error.message}`);
    });
  }
  return { store, keptMedia };
}

/**
 * Whether a server starts although its collections cannot be opened yet: on a disk that may be
 * mended, and while a database is away. A database that was set up wrongly ends the start.
 */
const goesOn = ({ code }: AppError, { store }: Config): boolean =>
  store === "" ? ["storage_failed", "storage_full"].includes(code) : code === "storage_unavailable";

/** The data folder still has heads and jobs, which are one process's. */
async function openDatabase(
  { store: url, storePasswordFile: passwordFile, dataDir }: Config,
  log: Log,
): Promise<PostgresStore> {
  const unlock = await lockDataFolder(dataDir);
  try {
    return await openPostgresStore({ url, passwordFile, log, onClose: unlock });
  } catch (error) {
    unlock();
    throw error;
  }
}
