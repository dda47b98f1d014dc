import type { Job } from "../jobs/job.js";
import type { JobAnswer } from "../wire/jobs.js";
import { snakeCase } from "./snake-case.js";

/** A job on the wire. */
export function jobAnswer({
  id,
  kind,
  subject,
  state,
  progress,
  detail,
  createdAt,
  startedAt,
  endedAt,
  result,
  error,
}: Job): JobAnswer {
  return {
    id,
    kind,
    subject,
    state,
    progress,
    ...(detail && { detail: snakeCase(detail) }),
    created_at: createdAt,
    started_at: startedAt ?? null,
    ended_at: endedAt ?? null,
    ...(result && { result: snakeCase(result) }),
    ...(error && { error: { ...error, param: error.param ?? null } }),
  };
}
