import { z } from "zod";
import { defaultJobLimits } from "../jobs/job-retention.js";
import { count, number, option } from "./option.js";

/** What is kept of jobs, and how they end. */
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
    "Jobs that were interrupted, cancelled or have failed whose inputs are kept so that they " +
      "can be resumed; lower it when the disk is short.",
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
    "Milliseconds that requests under way have to end at shutdown.",
  ),
};
