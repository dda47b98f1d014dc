import type { App } from "../../src/app.js";
import type { Job } from "../../src/jobs/job.js";
import { jsonPost } from "./services.js";

export type JobAnswer = Pick<Job, "id" | "kind" | "state" | "progress" | "error"> & {
  detail?: Record<string, unknown>;
  // biome-ignore lint/suspicious/noExplicitAny: what a job results in is its own
  result?: any;
};

/** Sends a request that makes a job, and waits for the end of the job by its events. */
export async function runJob(
  app: App,
  path: string,
  body: unknown,
): Promise<JobAnswer & { events: JobAnswer[] }> {
  const response = await app.request(
    path,
    body instanceof FormData ? { method: "POST", body } : jsonPost(body),
  );
  const answer = (await response.json()) as { job?: JobAnswer; error?: unknown };
  if (response.status !== 202)
    throw new Error(`${path} answered ${response.status} ${JSON.stringify(answer)}`);
  const text = await (await app.request(`/v1/jobs/${answer.job?.id}/events`)).text();
  const events = [...text.matchAll(/data: (.+)\n/g)].map(
    ([, data]) => JSON.parse(data) as JobAnswer,
  );
  return { ...(events.at(-1) as JobAnswer), events };
}
