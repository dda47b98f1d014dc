import { z } from "zod";
import { defaultJobLimits } from "../jobs/job-retention.js";
import { count, number, option } from "./option.js";

/** What is kept of jobs, and how they are stopped. */
export const jobOptions = {
  maxEndedJobs: option(
    count,
    defaultJobLimits.maxEndedJobs,
    number,
    "Ended jobs that are remembered with their results; older ones are forgotten.",
  ),
  endedJobHours: option(
    z.number().positive(),
    defaultJobLimits.endedJobHours,
    number,
    "Hours for which an ended job is remembered.",
  ),
  maxResumableJobs: option(
    z.int().min(0),
    defaultJobLimits.maxResumableJobs,
    number,
    "Interrupted, cancelled or failed jobs whose inputs are kept so that they can be resumed; " +
      "lower it to save disk space.",
  ),
  resumableJobHours: option(
    z.number().positive(),
    defaultJobLimits.resumableJobHours,
    number,
    "Hours for which the inputs of such a job are kept.",
  ),
  shutdownTimeoutMs: option(
    count,
    30_000,
    number,
    "Milliseconds that running requests have to finish at shutdown.",
  ),
};
