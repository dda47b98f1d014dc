import { Counter, Gauge, Histogram, Registry } from "prom-client";

export const registry = new Registry();

export const stageSeconds = new Histogram({
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

export const embedSeconds = new Histogram({
  name: "crossmodal_embed_seconds",
  help: "Time from inputs to their embeddings, waiting included",
  labelNames: ["model", "modality"],
  buckets: [0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100],
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
