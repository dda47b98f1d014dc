import type { Job, JobData, JobKind } from "./job.js";
import type { JobRun } from "./job-run.js";

/** A job's inputs: plain JSON, and large arrays as files in its folder. */
export interface JobInput {
  data: JobData;
  files?: Record<string, Uint8Array>;
}

/** A job's state; one with a damaged file becomes a failed job with that reason. */
export interface FoundJob {
  job: Job;
  /** Why its file cannot be used. */
  damage?: string;
}

/** Where jobs outlive their process: a folder of one process, or a database of several servers. */
export interface JobStore {
  /** Where a running job finds its inputs and writes its checkpoints. */
  folderOf(id: string): string;
  /** Resolves when the job can no longer get lost. */
  create(job: Job, input: JobInput, kind: JobPlacement): Promise<void>;
  /** @throws AppError `conflict` when another server has changed the job meanwhile. */
  write(job: Job): Promise<void>;
  /** @throws AppError `storage_corrupt` when one of the job's input files was changed. */
  input(id: string): Promise<JobData>;
  /** Every job, oldest first. */
  readAll(): Promise<FoundJob[]>;
  /** Removes inputs and checkpoints. */
  keepOnlyState(id: string): Promise<void>;
  remove(id: string): Promise<void>;
  /** Where several servers take jobs from one queue. */
  readonly queue?: JobQueue;
}

export type JobPlacement = Pick<JobKind, "lane" | "isLocal">;

/** What other servers did since the last call. */
export interface JobChanges {
  changed: Job[];
  removed: string[];
}

/** Jobs that several servers take from: each runs on one of them at a time. */
export interface JobQueue {
  pollChanges(): Promise<JobChanges>;
  /** Whether this server may run it: it waits, or the server that ran it is gone. */
  isFree(job: Job): boolean;
  /**
   * Makes this server the one that runs the job, from its last checkpoint.
   * @param controller  is aborted when the job is cancelled on another server, or taken by one
   *   because this one seemed to be gone.
   * @returns undefined when another server was faster.
   */
  take(job: Job, controller: AbortController): Promise<TakenJob | undefined>;
  /** Asks the server that runs the job to stop. */
  requestCancel(id: string): Promise<void>;
}

export interface TakenJob extends JobRun {
  /** How many servers ended while they ran it. */
  deaths: number;
  /** Whether another server has taken it since. */
  readonly isLost: boolean;
  /** Stores the last checkpoint, for the server that continues the job. */
  save(): Promise<void>;
  /** Ends the lease's renewal. */
  release(): void;
}
