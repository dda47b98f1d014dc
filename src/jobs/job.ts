import { AppError, type ErrorCode } from "../errors.js";

/**
 * `interrupted`: the process ended while the job ran or waited; it can be resumed. `cancelled` and
 * `failed` jobs can be resumed too: what they had reached is kept.
 */
export type JobState = "queued" | "running" | "succeeded" | "failed" | "cancelled" | "interrupted";

/** Plain JSON. */
export type JobData = Record<string, unknown>;

/** Long work, as it is kept in the data folder. */
export interface Job {
  id: string;
  /** What it does, e.g. `train`. */
  kind: string;
  state: JobState;
  /** In [0, 1]. */
  progress: number;
  /** Where it stands, in the words of its kind, e.g. an epoch and its losses. */
  detail?: JobData;
  /** ISO 8601. */
  createdAt: string;
  startedAt?: string;
  endedAt?: string;
  /** What came of it, once it has succeeded. */
  result?: JobData;
  /** Why it failed. */
  error?: { code: ErrorCode | "internal"; message: string; param?: string };
  /** What it was made from was removed: it cannot be resumed any more. */
  inputRemoved?: boolean;
  /** The process that wrote it, for people who look into the folder: nothing is decided by it. */
  pid?: number;
}

/** Whether it may go on from where it stood. */
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

/** Why a job failed, without the text of an error that is not ours. */
export function jobError(error: unknown): NonNullable<Job["error"]> {
  if (error instanceof AppError)
    return { code: error.code, message: error.message, param: error.param };
  return { code: "internal", message: "Internal error; see the server log" };
}

export const hasEnded = ({ state }: Pick<Job, "state">) =>
  state !== "queued" && state !== "running";

/** What a running job is given. */
export interface JobContext {
  job: Job;
  /** A folder of its own for data and checkpoints; emptied when the job has succeeded. */
  folder: string;
  /** Aborts when the job is cancelled or the server shuts down. */
  signal: AbortSignal;
  report(progress: number, detail?: JobData): void;
}

/**
 * What a kind of job does with the input it was created with. It is run again, from the start, when
 * a job is resumed.
 */
type RunJob = (input: JobData, context: JobContext) => Promise<JobData>;

export interface JobKind {
  run: RunJob;
  /** Jobs of one lane run one after the other. */
  lane: string;
  /**
   * The server begins these itself, where something else is done already: they are never refused
   * for those that wait.
   */
  own?: boolean;
}
