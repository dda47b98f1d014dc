import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { keyFolder } from "../access/key-file.js";
import { closeAll } from "../close-all.js";
import type { Config } from "../config.js";
import { AppError } from "../errors.js";
import { localFolder, type StateFolder } from "../files/state-folder.js";
import { lockDataFolder } from "../index/embedded/data-folder-lock.js";
import { openEmbeddedStore } from "../index/embedded/open-embedded-store.js";
import { type LazyStore, lazyStore } from "../index/lazy-store.js";
import { connectionsTo, openPostgresStore } from "../index/postgres/open-postgres-store.js";
import type { PostgresStore } from "../index/postgres/postgres-store.js";
import type { DatabaseCondition } from "../index/postgres/replication.js";
import { SharedState } from "../index/postgres/state/shared-state.js";
import { FolderJobStore } from "../jobs/folder-job-store.js";
import type { JobStore } from "../jobs/job-store.js";
import { KeptMedia } from "../kept-media/kept-media.js";
import { MissingMedia } from "../kept-media/missing-media.js";
import { withKeptMedia } from "../kept-media/with-kept-media.js";
import type { Log } from "../log.js";
import { type StateKind, stateKinds } from "./state-kinds.js";
import { takeOver } from "./take-over.js";

export interface Storage {
  store: LazyStore;
  /** The pictures and sounds that collections keep. */
  keptMedia: KeptMedia;
  /** Which of them a server that shares a database has not got. */
  missingMedia: MissingMedia | undefined;
  /** Everything else that outlives the process, a folder for each kind. */
  state: Readonly<Record<StateKind, StateFolder>>;
  jobs: JobStore;
  /** Fetches what other servers changed, where they share it. */
  refresh(): Promise<void>;
  /** Of the database, where there is one: asks it. */
  database(): Promise<DatabaseCondition | undefined>;
  /** Has it fetched from now on. */
  follow(): void;
  close(): Promise<void>;
}

/**
 * In the data folder, or in a database. A server takes the data folder at once, a command at the
 * first use.
 */
export async function openStorage(config: Config, log: Log, ownsData: boolean): Promise<Storage> {
  const { dataDir, indexEngine: engine, maxKeptMediaBytes: maxBytes } = config;
  const shared = sharedState(config, log, () => lazy.open());
  const state = foldersOf(dataDir, shared);
  let database: PostgresStore | undefined;
  const folder = join(dataDir, "media");
  const some = async () => (await database?.someMedia(maxMediaLookedFor)) ?? [];
  const missingMedia = shared && new MissingMedia({ folder, some, log });
  const lazy = lazyStore(async () => {
    database = config.store === "" ? undefined : await openDatabase(config, log);
    const opened = database ?? (await openEmbeddedStore({ dataDir, engine, log }));
    try {
      await shared?.load();
      if (shared !== undefined) await takeOverAll(shared, dataDir, log);
    } catch (error) {
      await opened.close(); // the next try opens it again
      throw error;
    }
    // Left by a killed process
    await rm(join(dataDir, "tmp"), { recursive: true, force: true });
    void keptMedia.start();
    missingMedia?.follow(); // not waited for: the folder may be on a slow file system
    return opened;
  });
  const keptMedia = new KeptMedia({
    folder,
    isShared: shared !== undefined,
    maxBytes,
    store: lazy,
    log,
  });
  const store = withKeptMedia(lazy, keptMedia);
  if (ownsData) {
    await store.open().catch((error) => {
      if (!(error instanceof AppError) || !canStartWithout(error, config)) throw error;
      log.error({ err: error }, `collections cannot be used: ${error.message}`);
    });
  }
  return {
    store,
    keptMedia,
    missingMedia,
    state,
    jobs: shared?.jobs ?? new FolderJobStore(join(dataDir, "jobs"), log),
    refresh: async () => await shared?.refresh(),
    database: async () => await shared?.condition(),
    follow: () => shared?.follow(),
    close: () =>
      closeAll(
        () => missingMedia?.close(),
        () => keptMedia.close(),
        () => store.close(),
        () => shared?.close(),
      ),
  };
}

function sharedState(
  config: Config,
  log: Log,
  ready: () => Promise<void>,
): SharedState | undefined {
  const { store: url, storePasswordFile: passwordFile, dataDir } = config;
  if (url === "") return undefined;
  // A connection of its own: it continues while collections keep theirs busy.
  const connections = connectionsTo({ url, passwordFile, maxConnections: 4 });
  const folder = join(dataDir, "shared");
  let server: string | undefined;
  const nameOfServer = () => {
    server ??= serverName(dataDir);
    return server;
  };
  return new SharedState({ connections, folder, server: nameOfServer, ready, log });
}

async function takeOverAll(shared: SharedState, dataDir: string, log: Log): Promise<void> {
  for (const kind of stateKinds) await takeOver(dataDir, kind, { to: shared.folder(kind), log });
}

/** Made once for a data folder, which one process has at a time. */
function serverName(dataDir: string): string {
  const path = join(dataDir, "server-name");
  if (!existsSync(path)) writeFileSync(path, `${hostname()}-${randomBytes(4).toString("hex")}\n`);
  return readFileSync(path, "utf8").trim();
}

function foldersOf(dataDir: string, shared: SharedState | undefined): Storage["state"] {
  const folder = (kind: StateKind): StateFolder => {
    if (shared !== undefined) return shared.folder(kind);
    return kind === "keys" ? keyFolder(dataDir) : localFolder(join(dataDir, kind));
  };
  return Object.fromEntries(stateKinds.map((kind) => [kind, folder(kind)])) as Storage["state"];
}

/**
 * Whether a server starts although its collections cannot be opened yet: on a disk that may
 * recover, and while a database is away. A database that was set up wrongly ends the start.
 */
const canStartWithout = ({ code }: AppError, { store }: Config): boolean =>
  store === "" ? ["storage_failed", "storage_full"].includes(code) : code === "storage_unavailable";

/** Files of kept media that a server looks for. */
const maxMediaLookedFor = 1000;

/** The data folder still has copies and jobs, which are one process's. */
async function openDatabase(
  { store: url, storePasswordFile: passwordFile, storeReads, dataDir, maxCopyBytes }: Config,
  log: Log,
): Promise<PostgresStore> {
  const unlock = await lockDataFolder(dataDir);
  try {
    return await openPostgresStore({
      url,
      passwordFile,
      readsOnStandbys: storeReads === "standbys",
      maxCopyBytes,
      log,
      onClose: unlock,
    });
  } catch (error) {
    unlock();
    throw error;
  }
}
