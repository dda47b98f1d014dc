import { AsyncLocalStorage } from "node:async_hooks";
import { Counter, Gauge, Histogram, Registry } from "prom-client";

/** Where the time of a request goes. */
const stages = ["decode", "preprocess", "queue", "inference", "search"] as const;
export type Stage = (typeof stages)[number];

/** Milliseconds by stage. */
export type StageTimes = Map<Stage, number>;

export const registry = new Registry();

const stageSeconds = new Histogram({
  name: "crossmodal_stage_seconds",
  help: "Time spent in a stage of a request",
  labelNames: ["stage"],
  buckets: [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30],
  registers: [registry],
});

export const requestSeconds = new Histogram({
  name: "crossmodal_request_seconds",
  help: "Time from request to answer",
  labelNames: ["route", "method", "status"],
  buckets: [0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100],
  registers: [registry],
});

export const batchSize = new Histogram({
  name: "crossmodal_batch_size",
  help: "Inputs joined into one inference",
  labelNames: ["model", "modality"],
  buckets: [1, 2, 4, 8, 16, 32, 64],
  registers: [registry],
});

export const queuedInputs = new Gauge({
  name: "crossmodal_queued_inputs",
  help: "Inputs waiting for a batch",
  labelNames: ["model", "modality"],
  registers: [registry],
});

export const cacheLookups = new Counter({
  name: "crossmodal_cache_lookups_total",
  help: "Embedding cache look-ups",
  labelNames: ["result"],
  registers: [registry],
});

new Gauge({
  name: "process_resident_memory_bytes",
  help: "Memory of the server's process, without its decoding processes",
  collect() {
    this.set(process.memoryUsage.rss());
  },
  registers: [registry],
});

export const collectionItems = new Gauge({
  name: "crossmodal_collection_items",
  help: "Items in a collection, counted when the metrics are asked for",
  labelNames: ["collection", "modality"],
  registers: [registry],
});

export const collectionIndexed = new Gauge({
  name: "crossmodal_collection_indexed_items",
  help: "Items of a collection that its graph finds; the others are scanned",
  labelNames: ["collection"],
  registers: [registry],
});

const current = new AsyncLocalStorage<StageTimes>();

/** Runs `work`; stages recorded while it runs are added to `times`. */
export function gatherStages<T>(times: StageTimes, work: () => T): T {
  return current.run(times, work);
}

/** Records time spent in a stage, for the current request (if any). */
export function recordStage(stage: Stage, ms: number): void {
  const times = current.getStore();
  times?.set(stage, (times.get(stage) ?? 0) + ms);
}

/** Runs `work` and records its duration as `stage`, whether it succeeds or not. */
export async function timed<T>(stage: Stage, work: () => Promise<T>): Promise<T> {
  const start = performance.now();
  try {
    return await work();
  } finally {
    recordStage(stage, performance.now() - start);
  }
}

/**
 * The `Server-Timing` header of a request; also feeds the histogram per stage. `decode;dur=1.2,
 * queue;dur=0.1`
 */
export function reportStages(times: StageTimes): string {
  const parts: string[] = [];
  for (const stage of stages) {
    const ms = times.get(stage);
    if (ms === undefined) continue;
    stageSeconds.observe({ stage }, ms / 1000);
    parts.push(`${stage};dur=${ms.toFixed(1)}`);
  }
  return parts.join(", ");
}
