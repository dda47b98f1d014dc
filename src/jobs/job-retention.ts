import { AppError } from "../errors.js";
import { hasEnded, isResumable, type Job, stateInWords } from "./job.js";

/** How many ended jobs are kept, and for how long. */
export interface JobLimits {
  /** Ended jobs that are kept. */
  maxEndedJobs: number;
  endedJobHours: number;
  /** Ended jobs whose inputs are kept for a resume. */
  maxResumableJobs: number;
  resumableJobHours: number;
}

export const defaultJobLimits: JobLimits = {
  maxEndedJobs: 200,
  endedJobHours: 720,
  maxResumableJobs: 50,
  resumableJobHours: 168,
};

/**
 * A job that ended in the future, before the clock was set back, counts as the oldest: it must not
 * push out those that end now.
 * @returns the jobs to forget, and those that stay but can no longer be resumed.
 */
export function expiredJobs(
  jobs: Iterable<Job>,
  limits: JobLimits,
  now: number,
): { forget: Job[]; dropInput: Job[] } {
  const newestFirst = [...jobs].filter(hasEnded).sort((one, other) => endOf(other) - endOf(one));
  const isLater = (job: Job) => endOf(job) > now;
  const ended = newestFirst.filter((job) => !isLater(job)).concat(newestFirst.filter(isLater));
  const ageHours = (job: Job) => (now - endOf(job)) / 3_600_000;
  const forget = ended.filter(
    (job, i) => i >= limits.maxEndedJobs || ageHours(job) > limits.endedJobHours,
  );
  const kept = new Set(ended);
  for (const job of forget) kept.delete(job);
  const dropInput = [...kept]
    .filter(isResumable)
    .filter((job, i) => i >= limits.maxResumableJobs || ageHours(job) > limits.resumableJobHours);
  return { forget, dropInput };
}

const endOf = ({ endedAt, createdAt }: Job) => Date.parse(endedAt ?? createdAt);

/**
 * @param damage  why the job's file cannot be used.
 * @throws AppError `conflict` when the job is in another state, or its inputs were removed.
 */
export function checkResumable(job: Job, damage: string | undefined, limits: JobLimits): void {
  const conflict = (message: string) => new AppError("conflict", message, { param: "id" });
  if (damage !== undefined) throw conflict(damage);
  if (job.inputRemoved) {
    const { maxResumableJobs, resumableJobHours } = limits;
    throw conflict(
      `The job "${job.id}" can no longer be resumed: inputs are kept for ${resumableJobHours} ` +
        `hours, of the last ${maxResumableJobs} jobs (options resumableJobHours, maxResumableJobs)`,
    );
  }
  if (isResumable(job)) return;
  throw conflict(
    `Only an interrupted, cancelled or failed job can be resumed; "${job.id}" ` +
      `${stateInWords[job.state]}`,
  );
}

export function noJob(id: string, { maxEndedJobs, endedJobHours }: JobLimits): AppError {
  const message =
    `There is no job "${id}"; ended jobs are kept for ${endedJobHours} hours, the last ` +
    `${maxEndedJobs} of them`;
  return new AppError("not_found", message, { param: "id" });
}
