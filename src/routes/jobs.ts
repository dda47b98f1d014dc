import { Hono } from "hono";
import { streamSSE } from "hono/streaming";
import { hasEnded, type Job } from "../jobs/job.js";
import type { Jobs } from "../jobs/jobs.js";
import { JobAnswer, JobList, JobStarted } from "../wire/jobs.js";
import { describe, json, text } from "./describe.js";
import { jobAnswer } from "./job-answer.js";

/**
 * A comment is sent this often: proxies cut idle connections after a minute.
 */
const heartbeatMs = 15_000;

const tag = "Jobs";
const errors = ["not_found", "conflict", "overloaded", "storage_failed", "storage_full"] as const;
const operations = {
  list: describe({
    id: "listJobs",
    tag,
    summary: "All jobs, newest first",
    answers: { 200: { content: json(JobList) } },
    errors,
  }),
  get: describe({
    id: "getJob",
    tag,
    summary: "One job",
    answers: { 200: { content: json(JobAnswer) } },
    errors,
  }),
  cancel: describe({
    id: "cancelJob",
    tag,
    summary: "Stops a waiting or running job",
    answers: { 200: { content: json(JobAnswer) } },
    errors,
  }),
  resume: describe({
    id: "resumeJob",
    tag,
    summary: "Resumes a failed, cancelled or interrupted job",
    answers: { 202: { content: json(JobStarted) } },
    errors,
  }),
  events: describe({
    id: "jobEvents",
    tag,
    summary: "A job's changes until it ends, as server-sent events",
    description:
      "The event is the job's state, its data the job as JSON. The first says where the job " +
      "stands; " +
      "changes in between may be skipped, the last is always sent.",
    answers: { 200: { content: text("text/event-stream") } },
    errors,
  }),
};

/** `/v1/jobs`: list jobs, follow them as server-sent events, cancel and resume. */
export function jobsRoutes(jobs: Jobs) {
  return new Hono()
    .use("/v1/jobs/*", async (_, next) => {
      await jobs.refresh();
      await next();
    })
    .get("/v1/jobs", operations.list, (c) =>
      c.json({ data: jobs.list().map(jobAnswer) } satisfies JobList),
    )
    .get("/v1/jobs/:id", operations.get, (c) => c.json(jobAnswer(jobs.get(c.req.param("id")))))
    .delete("/v1/jobs/:id", operations.cancel, async (c) =>
      c.json(jobAnswer(await jobs.cancel(c.req.param("id")))),
    )
    .post("/v1/jobs/:id/resume", operations.resume, async (c) =>
      c.json({ job: jobAnswer(await jobs.resume(c.req.param("id"))) } satisfies JobStarted, 202),
    )
    .get("/v1/jobs/:id/events", operations.events, (c) => {
      const id = c.req.param("id");
      jobs.get(id); // 404 before the stream starts
      c.header("X-Accel-Buffering", "no"); // nginx would buffer the events
      if (c.req.method === "HEAD")
        return c.body(null, 200, { "content-type": "text/event-stream" });
      return streamSSE(c, async (stream) => {
        // Only the latest state is kept for a slow reader: progress may be skipped, the end never
        // is.
        let latest: Job | undefined;
        let wake = () => {};
        const unwatch = jobs.watch(id, (job) => {
          latest = job;
          wake();
        });
        latest = jobs.get(id);
        stream.onAbort(() => wake());
        try {
          while (!stream.aborted && !stream.closed) {
            if (latest !== undefined) {
              const job: Job = latest;
              latest = undefined;
              await stream.writeSSE({ event: job.state, data: JSON.stringify(jobAnswer(job)) });
              if (hasEnded(job)) return;
              continue;
            }
            const beat = await new Promise<boolean>((resolve) => {
              const timer = setTimeout(() => resolve(true), heartbeatMs);
              wake = () => {
                clearTimeout(timer);
                resolve(false);
              };
            });
            if (beat) await stream.write(": still there\n\n");
          }
        } finally {
          unwatch();
        }
      });
    });
}
