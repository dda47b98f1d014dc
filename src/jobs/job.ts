import { AppError, type ErrorCode } from "../errors.js";

/**
 * `interrupted`: the process ended while the job ran or waited; it can be resumed. `cancelled` and
 * `failed` jobs can be resumed too: their progress is kept.
 */
export type JobState = "queued" | "running" | "succeeded" | "failed" | "cancelled" | "interrupted";

/** Plain JSON. */
export type JobData = Record<string, unknown>;

/** Long work, as stored in the data folder. */
export interface Job {
  id: string;
  /** What it does, e.g. `train`. */
  kind: string;
  /** The name of what it works on: the head that it trains, the collection that it lays out, … */
  subject?: string;
  state: JobState;
  /** In [0, 1]. */
  progress: number;
  /** Its progress, in the terms of its kind, e.g. an epoch and its losses. */
  detail?: JobData;
  /** ISO 8601. */
  createdAt: string;
  startedAt?: string;
  endedAt?: string;
  /** Its result, once it has succeeded. */
  result?: JobData;
  /** Why it failed. */
  error?: { code: ErrorCode | "internal"; message: string; param?: string };
  /** Its inputs were removed: it can no longer be resumed. */
  inputRemoved?: boolean;
  /** The process that wrote it, for people who read the file; not used otherwise. */
  pid?: number;
}

/** The name of what it makes, or else of what it reads. */
export function subjectOf({ name, collection, pull }: JobData): string | undefined {
  const subject = name ?? collection ?? pull;
  return typeof subject === "string" ? subject : undefined;
}

/** Whether it can be resumed. */
export const isResumable = ({ state, inputRemoved }: Pick<Job, "state" | "inputRemoved">) =>
  (state === "interrupted" || state === "cancelled" || state === "failed") && !inputRemoved;

/** `"ID" has failed` */
export const stateInWords: Record<JobState, string> = {
  queued: "is queued",
  running: "is running",
  succeeded: "has succeeded",
  failed: "has failed",
  cancelled: "was cancelled",
  interrupted: "was interrupted",
};

/** Why a job failed; unexpected errors stay in the log. */
export function jobError(error: unknown): NonNullable<Job["error"]> {
  if (error instanceof AppError)
    return { code: error.code, message: error.message, param: error.param };
  return { code: "internal", message: "Internal error; see the server log" };
}

export const hasEnded = ({ state }: Pick<Job, "state">) =>
  state !== "queued" && state !== "running";

/** The context of a running job. */
export interface JobContext {
  job: Job;
  /** Its folder for data and checkpoints; emptied once the job has succeeded. */
  folder: string;
  /** Aborts when the job is cancelled or the server shuts down. */
  signal: AbortSignal;
  report(progress: number, detail?: JobData): void;
}

/**
 * The work of a kind of job on its input. A resumed job runs it again from the start.
 */
type RunJob = (input: JobData, context: JobContext) => Promise<JobData>;

export interface JobKind {
  run: RunJob;
  /** Jobs of one lane run in sequence. */
  lane: string;
  /**
   * Started by the server itself, after other work is done: never refused because too many wait.
   */
  isInternal?: boolean;
  /** It changes only the server that it was started on, and runs on no other. */
  isLocal?: boolean;
}
