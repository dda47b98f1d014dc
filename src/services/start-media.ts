import { availableParallelism } from "node:os";
import type { Config } from "../config.js";
import { invalidInput } from "../errors.js";
import type { Log } from "../log.js";
import { BodyBudget } from "../media/body-budget.js";
import { MediaBudget } from "../media/budget.js";
import { decoderLocks } from "../media/decoder-locks.js";
import { startDecodingPool } from "../media/decoding-pool.js";
import { mediaFetcher } from "../media/fetch-media.js";
import type { Media } from "../media/media.js";
import type { FetchMedia } from "../media/read-media.js";
import { missingLocks } from "../sandbox/missing-locks.js";
import { lockSupport } from "../sandbox/support.js";

/**
 * The processes that decode media. Warns once about what they are not locked away from.
 * @throws AppError `invalid_input` where they must be locked and cannot be.
 */
export async function startMedia(
  config: Config,
  log: Log,
  support = lockSupport(),
): Promise<Media> {
  const { maxAudioSamples, maxDecodeBytes, maxDecodeSeconds, requestTimeoutMs, sandbox } = config;
  if (sandbox === "required") await checkLocks();
  const missing = missingLocks(support, sandbox);
  if (missing !== undefined) log.warn(missing);
  return startDecodingPool({
    processes: mediaProcesses(config),
    maxAudioSamples,
    maxBytes: maxDecodeBytes,
    // Clients must learn what is wrong with a file before their request times out.
    maxSeconds: Math.min(maxDecodeSeconds, requestTimeoutMs / 2000),
    sandbox,
    log,
  });
}

async function checkLocks(): Promise<void> {
  const why = await decoderLocks("required").then(
    () => undefined,
    (error: Error) => lockSupport().reason ?? error.message,
  );
  if (why !== undefined)
    throw invalidInput("sandbox", `The sandbox is required but not available here: ${why}`);
}

/**
 * Processes for media: as configured, else one for each core that a running graph leaves free.
 */
function mediaProcesses({ mediaWorkers, threads }: Config): number {
  if (mediaWorkers > 0) return mediaWorkers;
  return threads === 0 ? availableParallelism() : Math.max(1, availableParallelism() - threads);
}

type HostOptions = Pick<Config, "urlHosts" | "maxBodyBytes">;

/** A fetcher whose hosts a reload changes, also for requests and jobs under way. */
interface UrlFetcher {
  fetchMedia: FetchMedia;
  /** Takes the hosts of another configuration for whatever is fetched from now on. */
  use(options: HostOptions): void;
}

/** Fetches media by URL from the hosts that are allowed. */
export function startFetcher(options: HostOptions): UrlFetcher {
  let current = fetcherOf(options);
  return {
    fetchMedia: (url, signal) => current(url, signal),
    use: (changed) => {
      current = fetcherOf(changed);
    },
  };
}

const fetcherOf = ({ urlHosts: hosts, maxBodyBytes: maxBytes }: HostOptions): FetchMedia =>
  mediaFetcher({ hosts, maxBytes, timeoutMs: 20_000 });

/** Admission of media. Of one caller, a batch may run while the next is being prepared. */
export function mediaBudget(config: Config): MediaBudget {
  return new MediaBudget({
    maxUnits: config.maxQueued,
    maxBytes: config.maxMediaBytes,
    maxDecoding: 2 * mediaProcesses(config),
    maxPerCaller: 2 * config.maxBatch,
  });
}

/** Bodies of the largest size that are held at once. */
const bodiesAtOnce = 4;

/** Admission of request bodies. */
export const bodyBudget = ({ maxBodyBytes }: Config): BodyBudget =>
  new BodyBudget(bodiesAtOnce * maxBodyBytes);
