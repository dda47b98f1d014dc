import { z } from "zod";
import { errorCodes } from "../errors.js";

export const jobStates = [
  "queued",
  "running",
  "succeeded",
  "failed",
  "cancelled",
  "interrupted",
] as const;

/** Long work. What `detail` and `result` hold is up to its kind. */
export const JobAnswer = z.object({
  id: z.string(),
  /** What it does: train, few-shot, bridge, reproject, classify, map, … */
  kind: z.string(),
  /** The name of what it makes or changes: a head, bridge, calibration, collection or model. */
  subject: z.string().optional(),
  state: z.enum(jobStates),
  progress: z.number().min(0).max(1),
  detail: z.looseObject({}).optional(),
  /** ISO 8601, as are the others. */
  created_at: z.string(),
  started_at: z.string().nullable(),
  ended_at: z.string().nullable(),
  result: z.looseObject({}).optional(),
  error: z
    .object({
      code: z.enum([...errorCodes, "internal"]),
      message: z.string(),
      param: z.string().nullable(),
    })
    .optional(),
});
export type JobAnswer = z.infer<typeof JobAnswer>;

export const JobList = z.object({ data: z.array(JobAnswer) });
export type JobList = z.infer<typeof JobList>;

export const JobStarted = z.object({ job: JobAnswer });
export type JobStarted = z.infer<typeof JobStarted>;
