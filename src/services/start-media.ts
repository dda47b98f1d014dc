import { availableParallelism } from "node:os";
import type { Config } from "../config.js";
import type { Log } from "../log.js";
import { BodyBudget } from "../media/body-budget.js";
import { MediaBudget } from "../media/budget.js";
import { startDecodingPool } from "../media/decoding-pool.js";
import type { Media } from "../media/media.js";

/** The processes that decode media. */
export function startMedia(config: Config, log: Log): Media & { close(): Promise<void> } {
  const { maxAudioSamples, maxDecodeBytes, maxDecodeSeconds, requestTimeoutMs } = config;
  return startDecodingPool({
    processes: mediaProcesses(config),
    maxAudioSamples,
    maxBytes: maxDecodeBytes,
    // Clients must learn what is wrong with a file before their request times out.
    maxSeconds: Math.min(maxDecodeSeconds, requestTimeoutMs / 2000),
    log,
  });
}

/**
 * Processes for media: as configured, else one for each core that a running graph leaves free.
 */
function mediaProcesses({ mediaWorkers, threads }: Config): number {
  if (mediaWorkers > 0) return mediaWorkers;
  return threads === 0 ? availableParallelism() : Math.max(1, availableParallelism() - threads);
}

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
