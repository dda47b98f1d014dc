import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { AppError } from "../../src/errors.js";
import { lockDataFolder } from "../../src/index/embedded/data-folder-lock.js";
import { FolderJobStore } from "../../src/jobs/folder-job-store.js";
import type { JobContext } from "../../src/jobs/job.js";
import { Jobs } from "../../src/jobs/jobs.js";
import { createLog } from "../../src/log.js";
import { errorResponse } from "../../src/routes/error-response.js";
import { jobsRoutes } from "../../src/routes/jobs.js";
import { runMain } from "../helpers/run-main.js";

const log = createLog("silent");
let goOn: () => void = () => {};
let jobs: Jobs;
let server: ReturnType<typeof serve>;
let url: string;

beforeAll(async () => {
  const run = (_: unknown, { report, signal }: JobContext) => {
    report(0.5, { epoch: 3, trainLoss: 0.123456 });
    return new Promise((resolve, reject) => {
      goOn = () => resolve({ bestEpoch: 3 });
      signal.addEventListener("abort", () => reject(new AppError("cancelled", "stopped")));
    });
  };
  const folder = mkdtempSync(join(tmpdir(), "crossmodal-jobs-"));
  jobs = await Jobs.open({
    store: new FolderJobStore(folder, log),
    kinds: { work: { lane: "one", run } as never },
    log,
  });
  const { fetch } = new Hono().route("/", jobsRoutes(jobs)).onError(errorResponse(log));
  await new Promise<void>((resolve) => {
    server = serve({ fetch, port: 0, hostname: "127.0.0.1" }, () => resolve());
  });
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  await jobs.close();
  server.close();
});

const startJob = async () => {
  const { id } = await jobs.create("work", { data: {} });
  await expect.poll(() => jobs.get(id).progress, { timeout: 20_000 }).toBe(0.5);
  return id;
};

describe("crossmodal jobs", () => {
  it("lists, and follows a job to its end with detail on stderr and result on stdout", async () => {
    const id = await startJob();
    expect((await runMain("jobs", "--url", url)).stdout).toMatch(
      new RegExp(`${id} +work +running +50 %`),
    );
    const watching = runMain("jobs", "watch", id, "--url", url);
    await expect
      .poll(() => String(vi.mocked(console.error).mock.calls), { timeout: 20_000 })
      .toContain("running 50 %");
    goOn();
    const { code, stdout, stderr } = await watching;
    expect(code).toBe(0);
    expect(stdout).toMatch(/^best_epoch +3$/m);
    expect(stderr).toContain("running 50 % epoch 3, train_loss 0.1235");
  });

  it("cancels and resumes; a job that did not succeed makes watch end with 1", async () => {
    const id = await startJob();
    expect((await runMain("jobs", "cancel", id, "--url", url)).stdout).toContain("cancelled");
    expect(await runMain("jobs", "watch", id, "--url", url)).toMatchObject({ code: 1 });
    expect((await runMain("jobs", "resume", id, "--url", url, "--json")).stdout).toMatch(
      /"state":"(queued|running)"/,
    );
    const stateOnceTold = () => {
      goOn();
      return jobs.get(id).state;
    };
    await expect.poll(stateOnceTold, { timeout: 20_000 }).toBe("succeeded");
    expect(await runMain("jobs", "cancel", id, "--url", url)).toMatchObject({ code: 1 });
    expect((await runMain("jobs", "show", "none", "--url", url)).stderr).toContain(
      'There is no job "none"',
    );
  });

  it("reads the data folder without a server, and says that follow and resume need one", async () => {
    const dataDir = mkdtempSync(join(tmpdir(), "crossmodal-jobs-cli-"));
    const id = "running-elsewhere";
    const job = { id, kind: "work", state: "running", progress: 0.5, createdAt: "2026-01-01" };
    mkdirSync(join(dataDir, "jobs", id), { recursive: true });
    writeFileSync(join(dataDir, "jobs", id, "job.json"), JSON.stringify(job));
    const list = async () => {
      const { stdout } = await runMain("jobs", "list", "--data-dir", dataDir, "--json");
      return JSON.parse(stdout) as unknown;
    };
    expect(await list()).toMatchObject({ id, state: "interrupted" }); // nobody is at work there
    const unlock = await lockDataFolder(dataDir);
    expect(await list()).toMatchObject({ id, state: "running" });
    for (const what of ["watch", "cancel", "resume"]) {
      const { code, stderr } = await runMain("jobs", what, id, "--data-dir", dataDir);
      expect([code, stderr]).toEqual([2, expect.stringContaining("name its server with --url")]);
    }
    unlock();
  });
});
