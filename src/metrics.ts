import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";

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

export const graphSeconds = new Counter({
  name: "crossmodal_graph_seconds_total",
  help: "Time that a graph has run; its increase per second is how busy it is",
  labelNames: ["model", "modality"],
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

export const collectionItems = new Gauge({
  name: "crossmodal_collection_items",
  help: "Items in a collection, counted when the metrics are read",
  labelNames: ["collection", "modality"],
  registers: [registry],
});

export const collectionIndexed = new Gauge({
  name: "crossmodal_collection_indexed_items",
  help: "Items of a collection that its graph finds; the others are scanned",
  labelNames: ["collection"],
  registers: [registry],
});

export const modelBytes = new Gauge({
  name: "crossmodal_model_bytes",
  help: "Weights in memory, in bytes; 0 while the graph is unloaded",
  labelNames: ["model", "modality"],
  registers: [registry],
});

export const admittedInputs = new Gauge({
  name: "crossmodal_admitted_inputs",
  help: "Work in progress, counted in small inputs; maxQueued is the limit",
  registers: [registry],
});

export const mediaBytes = new Gauge({
  name: "crossmodal_media_bytes",
  help: "Decoded pictures and sounds in memory; maxMediaBytes is the limit",
  registers: [registry],
});

export const decoders = new Gauge({
  name: "crossmodal_decoders",
  help: "Decoding processes",
  labelNames: ["state"],
  registers: [registry],
});

export const waitingDecodings = new Gauge({
  name: "crossmodal_waiting_decodings",
  help: "Calls that wait for a decoding process",
  registers: [registry],
});

export const jobsByState = new Gauge({
  name: "crossmodal_jobs",
  help: "Jobs that are remembered",
  labelNames: ["state"],
  registers: [registry],
});

export const diskFreeBytes = new Gauge({
  name: "crossmodal_disk_free_bytes",
  help: "Free disk space at the data folder",
  registers: [registry],
});

export const storeTrouble = new Gauge({
  name: "crossmodal_store_trouble",
  help: "1 while the collections cannot be used",
  registers: [registry],
});

export const missingMedia = new Gauge({
  name: "crossmodal_missing_media",
  help: "Kept files of media that were looked for and are not there",
  registers: [registry],
});

export const databaseRole = new Gauge({
  name: "crossmodal_database_role",
  help: "1 for what the database was found to be",
  labelNames: ["role"],
  registers: [registry],
});

export const databaseStandbys = new Gauge({
  name: "crossmodal_database_standbys",
  help: "Databases that follow the primary",
  labelNames: ["sync"],
  registers: [registry],
});

export const databaseLagSeconds = new Gauge({
  name: "crossmodal_database_lag_seconds",
  help: "How much later a standby applies changes",
  labelNames: ["standby"],
  registers: [registry],
});

export const databaseLagBytes = new Gauge({
  name: "crossmodal_database_lag_bytes",
  help: "What a standby has not applied yet, in bytes",
  labelNames: ["standby"],
  registers: [registry],
});

export const lostLogLines = new Counter({
  name: "crossmodal_lost_log_lines_total",
  help: "Lines that could not be written for so long that they were dropped",
  labelNames: ["log"],
  registers: [registry],
});

export const waitingAuditLines = new Gauge({
  name: "crossmodal_waiting_audit_lines",
  help: "Lines of the audit file that are not written yet",
  registers: [registry],
});

/** Processor time, memory, files and event loop of the server's own process, from now on. */
export function observeProcess(): void {
  if (registry.getSingleMetric("process_cpu_seconds_total") === undefined)
    collectDefaultMetrics({ register: registry });
}
