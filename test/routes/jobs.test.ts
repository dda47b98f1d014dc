import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Hono } from "hono";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { AppError } from "../../src/errors.js";
import type { Connections } from "../../src/index/postgres/connections.js";
import { connectionsTo } from "../../src/index/postgres/open-postgres-store.js";
import { prepareSchema } from "../../src/index/postgres/schema.js";
import { SharedJobStore } from "../../src/index/postgres/state/shared-job-store.js";
import { FolderJobStore } from "../../src/jobs/folder-job-store.js";
import { Jobs } from "../../src/jobs/jobs.js";
import { createLog } from "../../src/log.js";
import { errorResponse } from "../../src/routes/error-response.js";
import { jobsRoutes } from "../../src/routes/jobs.js";
import { newDatabase } from "../helpers/database.js";

const log = createLog("silent");
let goOn: () => void = () => {};
let jobs: Jobs;
let connections: Connections | undefined;
let app: Hono;

beforeAll(async () => {
  const run = async (
    _: unknown,
    { report, signal }: { report: (p: number, d?: object) => void; signal: AbortSignal },
  ) => {
    for (const epoch of [1, 2, 3]) {
      report(epoch / 4, { trainLoss: 1 / epoch });
      await new Promise<void>((resolve, reject) => {
        signal.throwIfAborted();
        goOn = resolve;
        signal.addEventListener("abort", () => reject(new AppError("cancelled", "stopped")));
      });
    }
    return { bestEpoch: 3 };
  };
  const folder = join(mkdtempSync(join(tmpdir(), "crossmodal-jobs-")), "jobs");
  const url = await newDatabase();
  if (url !== "") connections = connectionsTo({ url });
  jobs = await Jobs.open({
    store:
      connections === undefined
        ? new FolderJobStore(folder, log)
        : new SharedJobStore({ connections, folder, server: () => "one", log }),
    claim: async () => await connections?.write(prepareSchema),
    kinds: { work: { lane: "one", run } as never },
    log,
  });
  app = new Hono().route("/", jobsRoutes(jobs)).onError(errorResponse(log));
});
afterAll(async () => {
  await jobs.close();
  await connections?.close();
});

const progressOf = (id: string) => expect.poll(() => jobs.get(id).progress);
/** Server-sent events of a whole answer: [event, data]. */
const eventsOf = (text: string) =>
  [...text.matchAll(/event: (.+)\ndata: (.+)\n/g)].map(
    ([, event, data]) => [event, JSON.parse(data)] as const,
  );

describe("GET /v1/jobs/{id}/events", () => {
  it("starts with the last state, tells progress, and ends with the job", async () => {
    const { id } = await jobs.create("work", { data: {} });
    await progressOf(id).toBe(0.25);
    const answer = await app.request(`/v1/jobs/${id}/events`);
    const text = answer.text();
    goOn();
    await progressOf(id).toBe(0.5);
    await new Promise((resolve) => setTimeout(resolve, 20));
    goOn();
    await progressOf(id).toBe(0.75);
    goOn();
    const events = eventsOf(await text);
    expect(answer.headers.get("content-type")).toContain("text/event-stream");
    expect(events[0]).toMatchObject(["running", { id, progress: 0.25, detail: { train_loss: 1 } }]);
    expect(events.map(([, { progress }]) => progress)).toContain(0.5);
    expect(events.at(-1)).toMatchObject(["succeeded", { progress: 1, result: { best_epoch: 3 } }]);
    const later = eventsOf(await (await app.request(`/v1/jobs/${id}/events`)).text());
    expect(later.map(([event]) => event)).toEqual(["succeeded"]);
  });

  it("stops watching when the client goes away", async () => {
    const watch = jobs.watch.bind(jobs);
    const unwatched = vi.fn();
    vi.spyOn(jobs, "watch").mockImplementationOnce((...args) => {
      const unwatch = watch(...args);
      return () => {
        unwatched();
        unwatch();
      };
    });
    const { id } = await jobs.create("work", { data: {} });
    const { body } = await app.request(`/v1/jobs/${id}/events`);
    const reader = body!.getReader();
    await reader.read();
    expect(unwatched).not.toHaveBeenCalled();
    await reader.cancel();
    await expect.poll(() => unwatched.mock.calls.length).toBe(1);
    await jobs.cancel(id);
  });
});

describe("/v1/jobs", () => {
  it("lists, tells, cancels and resumes", async () => {
    const { id } = await jobs.create("work", { data: {} });
    await progressOf(id).toBe(0.25);
    const list = (await (await app.request("/v1/jobs")).json()) as {
      data: { id: string; state: string }[];
    };
    expect(list.data[0]).toMatchObject({ id, kind: "work", state: "running" });
    const cancelled = await app.request(`/v1/jobs/${id}`, { method: "DELETE" });
    expect(await cancelled.json()).toMatchObject({ id, state: "cancelled" });
    const resumed = await app.request(`/v1/jobs/${id}/resume`, { method: "POST" });
    expect(resumed.status).toBe(202);
    await progressOf(id).toBe(0.25);
    await jobs.cancel(id);
    expect((await app.request(`/v1/jobs/${id}`)).status).toBe(200);
  });

  it.each([
    ["GET", "/v1/jobs/none"],
    ["GET", "/v1/jobs/none/events"],
    ["DELETE", "/v1/jobs/none"],
    ["POST", "/v1/jobs/none/resume"],
  ])("answers 404 to %s %s", async (method, path) => {
    expect((await app.request(path, { method })).status).toBe(404);
  });
});
