import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { Audit } from "./access/audit.js";
import { RateLimit } from "./access/rate-limit.js";
import { RecentClients } from "./access/recent-clients.js";
import { Activity } from "./activity.js";
import { CalibrationStore } from "./calibrations/calibration-store.js";
import { closeAll } from "./close-all.js";
import { CollectionMaps } from "./collections/collection-maps.js";
import { MapLayouts } from "./collections/map-layouts.js";
import type { Config } from "./config.js";
import { warmUp } from "./encoders/first-inference.js";
import type { LoadedPack } from "./encoders/load.js";
import type { ModelRegistry } from "./encoders/model-registry.js";
import { type Packs, packsOf } from "./encoders/packs.js";
import { AppError } from "./errors.js";
import type { StateFolder } from "./files/state-folder.js";
import { BridgeStore } from "./heads/bridge-store.js";
import { collectionsOfHeads } from "./heads/following-collections.js";
import { HeadStore } from "./heads/head-store.js";
import type { LazyStore } from "./index/lazy-store.js";
import type { Jobs } from "./jobs/jobs.js";
import type { KeptMedia } from "./kept-media/kept-media.js";
import { MediaArchives } from "./kept-media/media-archives.js";
import { LabelSetStore } from "./label-sets/label-set-store.js";
import type { Log } from "./log.js";
import type { BodyBudget } from "./media/body-budget.js";
import type { MediaBudget } from "./media/budget.js";
import type { Media } from "./media/media.js";
import type { FetchMedia } from "./media/read-media.js";
import { NeutralQueries } from "./search/neutral-queries.js";
import { checkModels, loadPacks } from "./services/load-packs.js";
import { type JobParts, openJobs } from "./services/open-jobs.js";
import { openStorage, type Storage } from "./services/open-storage.js";
import { bodyBudget, mediaBudget, startFetcher, startMedia } from "./services/start-media.js";
import { startTracer, type Tracer } from "./tracing/tracer.js";
import { type GapMeasurer, gapMeasurer } from "./training/gap-measurer.js";
import { ReferenceBank } from "./zero-shot/reference-bank.js";

/** The live parts of the server, as given to routes. */
export interface Services {
  config: Config;
  log: Log;
  /** Who changed what. */
  audit: Audit;
  packs: Packs;
  /** Loads, replaces and unloads them. */
  models: ModelRegistry;
  /** Requests and jobs under way. */
  activity: Activity;
  /** Who asked this server last. */
  clients: RecentClients;
  /** What callers have left of their requests a minute. */
  rateLimit: RateLimit;
  /** Signs the addresses of kept media. */
  addressSecret: Uint8Array;
  /** Of which the addresses were given lately. */
  mediaArchives: MediaArchives;
  media: Media;
  fetchMedia: FetchMedia;
  /** Collections. Only one process has the data folder at a time; it is locked on first use. */
  store: LazyStore;
  /** The pictures and sounds of collections that keep them. */
  keptMedia: KeptMedia;
  /** Admission, and the memory for decoded media. */
  budget: MediaBudget;
  /** Bytes of request bodies that are held at once. */
  bodies: BodyBudget;
  gap: GapMeasurer;
  /** Collections in the plane. */
  maps: CollectionMaps;
  heads: HeadStore;
  bridges: BridgeStore;
  jobs: Jobs;
  labelSets: LabelSetStore;
  /** Where created API keys are. */
  keys: StateFolder;
  /** Fetches what other servers changed of heads, label sets and the like, where they share it. */
  refreshState(): Promise<void>;
  /** Kept media that this server has not got, of those that it shares with others. */
  missingMedia: Storage["missingMedia"];
  /** Role and standbys of the database, where collections are in one: asks it. */
  database: Storage["database"];
  /** The reference for "none of these". */
  referenceBank: ReferenceBank;
  calibrations: CalibrationStore;
  /** The reference for a search's `min_relevance`. */
  neutralQueries: NeutralQueries;
  /** Absent where no collector is configured. */
  tracer: Tracer | undefined;
  /** Resolves once every tower has answered a first input; rejects when one cannot. */
  ready: Promise<void>;
  /**
   * Current problems of the running server, in sentences: while there is any, it is not ready.
   */
  troubles(): string[];
  /** Aborts when the shutdown begins: streams that could go on for hours end then. */
  stopping: AbortSignal;
  /**
   * Has jobs that begin from now on work with another configuration, and nothing fetched any more
   * from a host that it does not allow.
   */
  use(changed: Pick<Services, "config" | "packs">): void;
  /** Starts the shutdown: ends streams and interrupts jobs; short requests may finish. */
  stop(): Promise<void>;
  /** Frees every part, even when others fail; rejects with the errors. */
  close(): Promise<void>;
}

/**
 * Config -> parts. Loads and checks every model before it returns.
 * @param storage  a server's, which is open already; closed with the rest. Without one, the data
 *   folder is locked and collections are opened on first use.
 * @param audit  a server's; without one, changes are recorded in the log.
 */
export async function createServices(
  config: Config,
  log: Log,
  { storage, audit = new Audit(log) }: { storage?: Storage; audit?: Audit } = {},
): Promise<Services> {
  const closers: (() => unknown)[] = [];
  try {
    return await openServices({ config, log, audit }, storage, closers);
  } catch (error) {
    await closeAll(...closers.reverse()).catch((other) =>
      log.error({ err: other }, "not every part could be closed"),
    );
    throw error;
  }
}

/**
 * @param closers  gets the close function of each part as soon as it is open; they are called in
 *   reverse order.
 */
async function openServices(
  { config, log, audit }: Pick<Services, "config" | "log" | "audit">,
  openedStorage: Storage | undefined,
  closers: (() => unknown)[],
): Promise<Services> {
  const storage = openedStorage ?? (await openStorage(config, log, false));
  closers.push(() => storage.close());
  checkModels(config);
  const { store, keptMedia, state } = storage;
  const tracer = await startTracer(config.otlpEndpoint, log);
  closers.push(() => tracer?.close());
  const media = await startMedia(config, log);
  closers.push(() => media.close());
  const layouts = new MapLayouts({ folder: join(config.dataDir, "maps"), log });
  const maps = new CollectionMaps(store, layouts);
  closers.push(() => maps.close());
  const gap = gapMeasurer();
  closers.push(() => gap.close());

  const loaded: LoadedPack[] = [];
  closers.push(() => closeAll(...loaded.map((pack) => () => pack.dispose())));
  const packs = packsOf(loaded, config.aliases);
  const activity = new Activity();
  const models = await loadPacks(config, { media, activity, log, loaded });
  closers.push(() => models.close());
  const stopping = new AbortController();
  const ready = warmUp(loaded, config.maxBatch, { log, stopping: stopping.signal });
  ready.catch((error) => log.error({ err: error }, "a model failed its first inference"));
  closers.push(() => ready.catch(() => undefined));

  const { dataDir } = config;
  const rebuild = (collection: string) => jobs.create("reproject", { data: { collection } });
  const heads = await HeadStore.open({
    files: state.heads,
    log,
    ...collectionsOfHeads(store, rebuild),
  });
  const bridges = await BridgeStore.open({
    files: state.bridges,
    spaces: () => loaded.map(({ manifest, space }) => ({ id: manifest.id, space })),
    log,
  });
  const fetcher = startFetcher(config);
  models.onChange = () => bridges.chooseActive();
  const parts = {
    config,
    log,
    audit,
    tracer,
    store,
    keptMedia,
    maps,
    media,
    budget: mediaBudget(config),
    gap,
    packs,
    models,
    activity,
    clients: new RecentClients(),
    rateLimit: new RateLimit(),
    addressSecret: randomBytes(32),
    mediaArchives: new MediaArchives(),
    heads,
    bridges,
    calibrations: new CalibrationStore({ files: state.calibrations, log }),
    referenceBank: new ReferenceBank({ folder: join(dataDir, "cache"), log, activity }),
    keys: state.keys,
    refreshState: storage.refresh,
    missingMedia: storage.missingMedia,
    database: storage.database,
    labelSets: new LabelSetStore(state["label-sets"]),
    bodies: bodyBudget(config),
    neutralQueries: new NeutralQueries(),
    fetchMedia: fetcher.fetchMedia,
    ready,
  };
  let inUse: JobParts = parts;
  const jobs = await openJobs(() => inUse, storage);
  if (openedStorage !== undefined) {
    storage.follow();
    jobs.follow();
  }
  const stop = async () => {
    stopping.abort(new AppError("cancelled", "The server is shutting down"));
    await jobs.close();
  };
  closers.push(stop);
  return {
    ...parts,
    jobs,
    use: (changed) => {
      inUse = { ...inUse, ...changed };
      fetcher.use(changed.config);
    },
    troubles: () => [
      ...(store.trouble === undefined ? [] : [store.trouble]),
      ...loaded.flatMap((pack) => pack.troubles()),
    ],
    stopping: stopping.signal,
    stop,
    close: () => closeAll(...closers.reverse()),
  };
}
