import type { Activity } from "../activity.js";
import { type CalibrateParts, calibrateJob } from "../calibrations/calibrate-job.js";
import { type ClassifyServices, classifyJob } from "../collections/classify-job.js";
import { type MapJobServices, mapJob } from "../collections/map-job.js";
import { type MoveServices, moveJob } from "../collections/move-job.js";
import { type BridgeServices, bridgeJob } from "../heads/bridge-job.js";
import { fewShotJob } from "../heads/few-shot-job.js";
import { type ReprojectServices, reprojectJob } from "../heads/reproject-job.js";
import { type TrainingServices, trainJob } from "../heads/train-job.js";
import { isDataFolderLocked } from "../index/embedded/data-folder-lock.js";
import type { LazyStore } from "../index/lazy-store.js";
import type { JobKind } from "../jobs/job.js";
import { Jobs } from "../jobs/jobs.js";
import { type PullServices, pullJob } from "../models/pull-job.js";
import type { Storage } from "./open-storage.js";

/** The parts that jobs of all kinds need. */
export type JobParts = TrainingServices &
  BridgeServices &
  ReprojectServices &
  CalibrateParts &
  ClassifyServices &
  MapJobServices &
  MoveServices &
  PullServices & { store: LazyStore; activity: Activity };

const kinds = {
  train: trainJob,
  "few-shot": fewShotJob,
  bridge: bridgeJob,
  reproject: reprojectJob,
  calibrate: calibrateJob,
  classify: classifyJob,
  map: mapJob,
  move: moveJob,
  pull: pullJob,
};

/**
 * Every kind of job. A process that takes over the data folder also takes over its jobs.
 * @param current  the parts as they are when a job begins: a reload changes the configuration.
 */
export async function openJobs(
  current: () => JobParts,
  { jobs: jobStore, refresh }: Pick<Storage, "jobs" | "refresh">,
): Promise<Jobs> {
  const parts = current();
  const { config, log, store, activity } = parts;
  const kindOf = (make: (parts: JobParts) => JobKind): JobKind => ({
    ...make(parts),
    run: (input, context) => make(current()).run(input, context),
  });
  const jobs = await Jobs.open({
    store: jobStore,
    kinds: Object.fromEntries(Object.entries(kinds).map(([name, make]) => [name, kindOf(make)])),
    log,
    limits: config,
    prepare: refresh,
    during: (work) => activity.during(work),
    claim: () => store.open(),
    isOwnedElsewhere: () => !store.isOpen && isDataFolderLocked(config.dataDir),
  });
  if (store.isOpen) await jobs.claim();
  return jobs;
}
