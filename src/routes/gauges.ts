import { statfs } from "node:fs/promises";
import { isBeingBuilt } from "../heads/collection-head.js";
import type { LazyStore } from "../index/lazy-store.js";
import type { DatabaseCondition } from "../index/postgres/replication.js";
import type { JobState } from "../jobs/job.js";
import * as metrics from "../metrics.js";
import type { Services } from "../services.js";

/** Clients name collections: only this many, the largest ones, have labels of their own. */
const maxCollections = 100;
/** Of all the others together; no collection can have this name. */
const others = "(others)";

const jobStates = [
  ...(["queued", "running", "succeeded"] as const),
  ...(["failed", "cancelled", "interrupted"] as const),
] satisfies JobState[];

/** Reads what is not counted as it happens, when the metrics are asked for. */
export async function setGauges(services: Services): Promise<void> {
  const { packs, budget, media, jobs, store, config, log } = services;
  metrics.modelBytes.reset(); // drops unloaded ones
  for (const { manifest, towers } of packs.list())
    for (const { modality, bytes, isAwake } of towers)
      metrics.modelBytes.set({ model: manifest.id, modality }, isAwake() ? bytes : 0);
  metrics.admittedInputs.set(budget.units);
  metrics.mediaBytes.set(budget.bytes);
  const { processes, busy, waiting } = media.usage();
  metrics.decoders.set({ state: "busy" }, busy);
  metrics.decoders.set({ state: "idle" }, processes - busy);
  metrics.waitingDecodings.set(waiting);
  const counts = new Map<JobState, number>(jobStates.map((state) => [state, 0]));
  for (const { state } of jobs.list()) counts.set(state, counts.get(state)! + 1);
  for (const [state, count] of counts) metrics.jobsByState.set({ state }, count);
  const disk = await statfs(config.dataDir).catch(() => undefined);
  if (disk !== undefined) metrics.diskFreeBytes.set(disk.bavail * disk.bsize);
  metrics.storeTrouble.set(store.trouble === undefined ? 0 : 1);
  metrics.waitingAuditLines.set(services.audit.waiting);
  metrics.missingMedia.set(services.missingMedia?.count ?? 0);
  const database = await services.database();
  if (database !== undefined) setDatabase(database);
  await countItems(store).catch((error) =>
    log.error({ err: error }, "the items could not be counted"),
  );
}

function setDatabase({ role, standbys = [] }: DatabaseCondition): void {
  for (const one of ["primary", "standby", "away"])
    metrics.databaseRole.set({ role: one }, one === role ? 1 : 0);
  for (const gauge of [
    metrics.databaseStandbys,
    metrics.databaseLagSeconds,
    metrics.databaseLagBytes,
  ])
    gauge.reset(); // drops those that are gone
  // Of several with the same name the one furthest behind is shown: it comes last.
  for (const { name: standby, sync, lagSeconds, lagBytes } of standbys) {
    metrics.databaseStandbys.inc({ sync });
    metrics.databaseLagSeconds.set({ standby }, lagSeconds);
    metrics.databaseLagBytes.set({ standby }, lagBytes);
  }
}

/** An unused store is not opened for this. */
async function countItems(store: LazyStore): Promise<void> {
  if (!store.isOpen) return;
  const collections = (await store.listCollections()).filter((stats) => !isBeingBuilt(stats));
  metrics.collectionItems.reset(); // drops deleted ones
  metrics.collectionIndexed.reset();
  const bySize = collections.sort((a, b) => b.count - a.count);
  for (const [i, { name, countByModality, index }] of bySize.entries()) {
    const collection = i < maxCollections ? name : others;
    for (const [modality, count] of Object.entries(countByModality))
      metrics.collectionItems.inc({ collection, modality }, count);
    metrics.collectionIndexed.inc({ collection }, index.indexed);
  }
}
