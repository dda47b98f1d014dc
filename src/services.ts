import { rm } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { calibrateJob } from "./calibrations/calibrate-job.js";
import { CalibrationStore } from "./calibrations/calibration-store.js";
import { closeAll } from "./close-all.js";
import { classifyJob } from "./collections/classify-job.js";
import type { Config } from "./config.js";
import { warmUp } from "./encoders/first-inference.js";
import { type LoadedPack, PackLoader } from "./encoders/load.js";
import { type Packs, packsOf } from "./encoders/packs.js";
import type { Device } from "./encoders/session.js";
import { EmbeddingCache } from "./encoders/with-cache.js";
import { AppError, invalidInput } from "./errors.js";
import { bridgeJob } from "./heads/bridge-job.js";
import { BridgeStore } from "./heads/bridge-store.js";
import { fewShotJob } from "./heads/few-shot-job.js";
import { collectionsFollowing } from "./heads/following-collections.js";
import { HeadStore } from "./heads/head-store.js";
import { reprojectJob } from "./heads/reproject-job.js";
import { trainJob } from "./heads/train-job.js";
import { isDataFolderLocked } from "./index/embedded/data-folder-lock.js";
import { openEmbeddedStore } from "./index/embedded/open-embedded-store.js";
import { type LazyStore, lazyStore } from "./index/lazy-store.js";
import { type WatchedStore, watchedStore } from "./index/watched-store.js";
import { Jobs } from "./jobs/jobs.js";
import { LabelSetStore } from "./label-sets/label-set-store.js";
import type { Log } from "./log.js";
import { MediaBudget } from "./media/budget.js";
import { type DecodingPoolOptions, startDecodingPool } from "./media/decoding-pool.js";
import type { Media } from "./media/media.js";
import { findManifest } from "./models/store.js";
import { mediaFetcher } from "./routes/fetch-media.js";
import type { FetchMedia } from "./routes/read-media.js";
import { type GapMeasurer, gapMeasurer } from "./training/gap-measurer.js";
import { ReferenceBank } from "./zero-shot/reference-bank.js";

/** The product's parts, live: what routes are given. */
export interface Services {
  config: Config;
  log: Log;
  packs: Packs;
  media: Media;
  fetchMedia: FetchMedia;
  /** Collections. Only one process has the data folder at a time; it is taken at the first use. */
  store: WatchedStore<LazyStore>;
  /** Who may work, and how much decoded media is held at once. */
  budget: MediaBudget;
  gap: GapMeasurer;
  heads: HeadStore;
  bridges: BridgeStore;
  jobs: Jobs;
  labelSets: LabelSetStore;
  /** What "none of these" is told by. */
  referenceBank: ReferenceBank;
  calibrations: CalibrationStore;
  /** Resolves once every tower has answered a first input; rejects when one cannot. */
  ready: Promise<void>;
  /**
   * What does not work at the moment although the server runs, in sentences: while there is any, it
   * is not ready.
   */
  troubles(): string[];
  /** Aborts when the shutdown begins: streams that could go on for hours end then. */
  stopping: AbortSignal;
  /** Begins the shutdown: ends streams and interrupts jobs; what answers soon may go on. */
  stop(): Promise<void>;
  /** Frees every part, whatever becomes of the others; rejects with what failed. */
  close(): Promise<void>;
}

/**
 * Config -> parts. Loads and checks every model before it returns.
 * @param ownsData  takes the data folder at once, before the models are loaded, as a server does:
 *   `storage_locked` when another process has it. A folder that cannot be written is only logged:
 *   what needs no collections works without.
 */
export async function createServices(
  config: Config,
  log: Log,
  { ownsData = false }: { ownsData?: boolean } = {},
): Promise<Services> {
  const closers: (() => unknown)[] = [];
  try {
    return await openServices(config, log, ownsData, closers);
  } catch (error) {
    await closeAll(...closers.reverse()).catch((other) =>
      log.error({ err: other }, "not every part could be closed"),
    );
    throw error;
  }
}

/**
 * @param closers  is given what frees each part as soon as it is open; the last one is to be called
 * first.
 */
async function openServices(
  config: Config,
  log: Log,
  ownsData: boolean,
  closers: (() => unknown)[],
): Promise<Services> {
  const store = await openStorage(config, log, ownsData);
  closers.push(() => store.close());
  const media = startDecodingPool({ ...decodingOptions(config), log });
  closers.push(() => media.close());
  const budget = mediaBudget(config);
  const loader = new PackLoader({
    ...loadOptions(config),
    log,
    media,
    cache: new EmbeddingCache(config.cacheBytes),
  });
  const gap = gapMeasurer();
  closers.push(() => gap.close());
  const loaded: LoadedPack[] = [];
  closers.push(() => closeAll(...loaded.map((pack) => () => pack.dispose())));
  const packs = packsOf(loaded, checkAliases(config));
  const heads: HeadStore = await HeadStore.open({
    folder: join(config.dataDir, "heads"),
    log,
    usedBy: async (name, version) =>
      (await collectionsFollowing(store, name))
        .filter((following) => version === undefined || following.version === version)
        .map((following) => following.name),
    onActivated: async (name) => {
      const { activeVersion } = heads.get(name);
      const begun = (await collectionsFollowing(store, name))
        .filter((following) => following.version !== activeVersion && !following.isCopy)
        .map((following) => jobs.create("reproject", { data: { collection: following.name } }));
      return (await Promise.all(begun)).map(({ id }) => id);
    },
  });
  const training = { packs, media, budget, config, store, heads };
  const calibrations = new CalibrationStore({ folder: join(config.dataDir, "calibrations"), log });
  const referenceBank = new ReferenceBank({ folder: join(config.dataDir, "cache"), log });
  const kinds = {
    train: trainJob(training),
    "few-shot": fewShotJob(training),
    bridge: bridgeJob(() => ({ ...training, bridges })),
    reproject: reprojectJob(() => ({ ...training, bridges, log })),
    calibrate: calibrateJob({ packs, heads, store, calibrations, referenceBank }),
    classify: classifyJob({ ...training, referenceBank, calibrations }),
  };
  const jobs: Jobs = await Jobs.open({
    folder: join(config.dataDir, "jobs"),
    kinds,
    log,
    limits: config,
    claim: () => store.open(),
    isOwnedElsewhere: () => !store.isOpen && isDataFolderLocked(config.dataDir),
  });
  const stopping = new AbortController();
  const stop = async () => {
    stopping.abort(new AppError("cancelled", "The server is shutting down"));
    await jobs.close();
  };
  closers.push(stop); // first: what runs needs the parts above
  if (store.isOpen) await jobs.claim();
  await loadPacks(config, loader, loaded, log);
  const bridges = await BridgeStore.open({
    folder: join(config.dataDir, "bridges"),
    packs: loaded.map(({ manifest, space }) => ({ id: manifest.id, space })),
    log,
  });
  const ready = warmUp(loaded, config.maxBatch, log);
  ready.catch((error) => log.error({ err: error }, "a model failed its first inference"));
  return {
    config,
    log,
    packs,
    media,
    gap,
    heads,
    bridges,
    jobs,
    store,
    budget,
    referenceBank,
    calibrations,
    labelSets: new LabelSetStore(join(config.dataDir, "label-sets")),
    fetchMedia: mediaFetcher({
      hosts: config.urlHosts,
      maxBytes: config.maxBodyBytes,
      timeoutMs: 20_000,
    }),
    ready,
    troubles: () => [
      ...(store.trouble === undefined ? [] : [store.trouble]),
      ...loaded.flatMap((pack) => pack.troubles()),
    ],
    stopping: stopping.signal,
    stop,
    close: async () => {
      await ready.catch(() => undefined);
      await closeAll(...closers.reverse());
    },
  };
}

/** @throws AppError `invalid_input` when an alias is the name of a model, or leads to none. */
function checkAliases({ aliases, models }: Config): Config["aliases"] {
  for (const [name, id] of Object.entries(aliases)) {
    if (models.includes(name)) {
      const message = `The alias "${name}" is the id of a model that is loaded`;
      throw invalidInput("aliases", message);
    }
    if (!models.includes(id)) {
      const message = `The alias "${name}" leads to "${id}", which is not loaded (option models: ${models.join(", ")})`;
      throw invalidInput("aliases", message);
    }
  }
  return aliases;
}

/**
 * The collections. A server takes the data folder at once; what only might use it takes it at the
 * first use.
 */
async function openStorage(
  { dataDir }: Config,
  log: Log,
  ownsData: boolean,
): Promise<WatchedStore<LazyStore>> {
  const lazy = lazyStore(async () => {
    const opened = await openEmbeddedStore({ dataDir, log });
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

/**
 * Loads the configured packs into `loaded`, which the caller disposes of, also when one of them
 * cannot be loaded.
 */
async function loadPacks(
  config: Config,
  loader: PackLoader,
  loaded: LoadedPack[],
  log: Log,
): Promise<void> {
  // Logged once: without a GPU they are the same for every tower
  const fallbackReasons = new Set<string>();
  for (const id of config.models) {
    const start = performance.now();
    const pack = await loader.load(findManifest(config.dataDir, id));
    loaded.push(pack);
    const ms = Math.round(performance.now() - start);
    for (const { fallbackReason: reason } of pack.towers) {
      if (reason === undefined || fallbackReasons.has(reason)) continue;
      fallbackReasons.add(reason);
      log.info({ reason }, "running on the CPU");
    }
    const towers = pack.towers.map(({ fallbackReason: _, ...tower }) => tower);
    log.info({ model: id, space: pack.space, towers, ms }, "model loaded");
  }
}

/** How packs are loaded, as the options say. */
export const loadOptions = ({ device, dtype, threads, resize, hopSeconds, maxBatch }: Config) => ({
  device: device as Device,
  dtype,
  threads: threads === 0 ? undefined : threads,
  resize,
  hopSeconds: hopSeconds === 0 ? undefined : hopSeconds,
  maxBatch,
});

function decodingOptions(config: Config): DecodingPoolOptions {
  const { maxAudioSamples, maxDecodeBytes, maxDecodeSeconds, requestTimeoutMs } = config;
  return {
    processes: mediaProcesses(config),
    maxAudioSamples,
    maxBytes: maxDecodeBytes,
    // Who sent the file must learn before the request is given up what is wrong with it.
    maxSeconds: Math.min(maxDecodeSeconds, requestTimeoutMs / 2000),
  };
}

/**
 * Processes for media: as configured, else the cores that a running graph leaves. Decoding beside
 * it must not take the graph's own.
 */
function mediaProcesses({ mediaWorkers, threads }: Config): number {
  if (mediaWorkers > 0) return mediaWorkers;
  return threads === 0 ? availableParallelism() : Math.max(1, availableParallelism() - threads);
}

/** Of one caller, a batch may run while the next is being prepared. */
function mediaBudget(config: Config): MediaBudget {
  return new MediaBudget({
    maxUnits: config.maxQueued,
    maxBytes: config.maxMediaBytes,
    maxDecoding: 2 * mediaProcesses(config),
    maxPerCaller: 2 * config.maxBatch,
  });
}
