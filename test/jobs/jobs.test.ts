import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { AppError } from "../../src/errors.js";
import { checkedJson } from "../../src/files/checked-json.js";
import { FolderJobStore } from "../../src/jobs/folder-job-store.js";
import type { Job, JobKind } from "../../src/jobs/job.js";
import { Jobs } from "../../src/jobs/jobs.js";
import { createLog } from "../../src/log.js";
import { currentPriority } from "../../src/priority.js";

const log = createLog("silent");
const newFolder = () => join(mkdtempSync(join(tmpdir(), "crossmodal-jobs-")), "jobs");

/** Waits until it is told to end; hears a cancellation. */
function steered() {
  let end = () => {};
  const started: unknown[] = [];
  const kind: JobKind = {
    lane: "one",
    run: (input, { signal, report }) => {
      started.push(input.name);
      report(0.5, { half: true });
      return new Promise((resolve, reject) => {
        end = () => resolve({ name: input.name });
        signal.addEventListener("abort", () => reject(new AppError("cancelled", "stopped")), {
          once: true,
        });
      });
    },
  };
  return { kind, started, end: () => end() };
}

const open: Jobs[] = [];
const openJobs = async (folder: string, kinds: Record<string, JobKind>) => {
  const jobs = await Jobs.open({ store: new FolderJobStore(folder, log), kinds, log });
  open.push(jobs);
  return jobs;
};
afterEach(async () => {
  for (const jobs of open.splice(0)) await jobs.close();
});

const reaches = (jobs: Jobs, id: string, state: Job["state"]) =>
  expect.poll(() => jobs.get(id).state).toBe(state);
const input = (name: string) => ({ data: { name } });
/** Changes a job's file as another process would. */
const rewrite = (folder: string, id: string, change: Partial<Job>) => {
  const path = join(folder, id, "job.json");
  const { sha256: _, ...job } = JSON.parse(readFileSync(path, "utf8")) as Job & { sha256: string };
  writeFileSync(path, checkedJson({ ...job, ...change }));
};

describe("Jobs", () => {
  it("runs them as bulk work, which gives way to whoever waits for an answer", async () => {
    const kind: JobKind = { lane: "one", run: async () => ({ priority: currentPriority() }) };
    const jobs = await openJobs(newFolder(), { kind });
    const { id } = await jobs.create("kind", input("a"));
    await reaches(jobs, id, "succeeded");
    expect(jobs.get(id).result).toEqual({ priority: "bulk" });
  });

  it("runs one job of a lane at a time, in order, and keeps the results", async () => {
    const folder = newFolder();
    const { kind, started, end } = steered();
    const jobs = await openJobs(folder, { work: kind });
    const [one, two] = [
      await jobs.create("work", input("one")),
      await jobs.create("work", input("two")),
    ];
    await expect.poll(() => started).toEqual(["one"]);
    expect(jobs.get(two.id).state).toBe("queued");
    expect(jobs.get(one.id)).toMatchObject({
      state: "running",
      progress: 0.5,
      detail: { half: true },
    });
    end();
    await expect.poll(() => started).toEqual(["one", "two"]);
    end();
    await reaches(jobs, two.id, "succeeded");
    await expect.poll(() => readdirSync(join(folder, two.id))).toEqual(["job.json"]);
    const again = await openJobs(folder, { work: kind });
    expect(again.list().map(({ result }) => result)).toEqual([{ name: "two" }, { name: "one" }]);
    expect(again.list().map(({ subject }) => subject)).toEqual(["two", "one"]);
  });

  it("cancels a job that has been told to run but has not begun", async () => {
    const { kind, started } = steered();
    const jobs = await openJobs(newFolder(), { work: kind });
    const { id } = await jobs.create("work", input("one"));
    expect(jobs.get(id).state).toBe("running");
    expect(await jobs.cancel(id)).toMatchObject({ state: "cancelled" });
    expect(started).toEqual([]);
  });

  it("cancels what runs and what waits, and resumes both", async () => {
    const { kind, started, end } = steered();
    const jobs = await openJobs(newFolder(), { work: kind });
    const [one, two] = [
      await jobs.create("work", input("one")),
      await jobs.create("work", input("two")),
    ];
    await expect.poll(() => started).toEqual(["one"]);
    expect(await jobs.cancel(two.id)).toMatchObject({ state: "cancelled" });
    expect(await jobs.cancel(one.id)).toMatchObject({ state: "cancelled" });
    await expect(jobs.cancel(one.id)).rejects.toMatchObject({ code: "conflict" });
    await jobs.resume(one.id);
    await expect.poll(() => started).toEqual(["one", "one"]);
    end();
    await reaches(jobs, one.id, "succeeded");
    await expect(jobs.resume(one.id)).rejects.toMatchObject({ code: "conflict" });
  });

  it("says why an ended job cannot be cancelled and a successful one not resumed", async () => {
    const { kind, started, end } = steered();
    const work: JobKind = {
      lane: "work",
      run: async (given, context) =>
        given.name === "bad" ? Promise.reject(new Error("no")) : kind.run(given, context),
    };
    const jobs = await openJobs(newFolder(), { work });
    const refusal = (promise: Promise<unknown>) => promise.catch((error: Error) => error.message);
    const [bad, good, unwanted] = [
      await jobs.create("work", input("bad")),
      await jobs.create("work", input("good")),
      await jobs.create("work", input("unwanted")),
    ];
    await jobs.cancel(unwanted.id);
    await expect.poll(() => started).toEqual(["good"]);
    expect(await refusal(jobs.resume(good.id))).toMatch(/; ".+" is running$/);
    end();
    await reaches(jobs, good.id, "succeeded");
    expect(await refusal(jobs.cancel(bad.id))).toBe(`The job "${bad.id}" has already failed`);
    expect(await refusal(jobs.cancel(good.id))).toBe(`The job "${good.id}" has already succeeded`);
    expect(await refusal(jobs.cancel(unwanted.id))).toBe(
      `The job "${unwanted.id}" was already cancelled`,
    );
    expect(await refusal(jobs.resume(good.id))).toMatch(/; ".+" has succeeded$/);
  });

  it("interrupts at close what runs and waits; the next start can resume it", async () => {
    const folder = newFolder();
    const { kind, end } = steered();
    const jobs = await openJobs(folder, { work: kind });
    const [one, two] = [
      await jobs.create("work", input("one")),
      await jobs.create("work", input("two")),
    ];
    await reaches(jobs, one.id, "running");
    await jobs.close();
    const again = await openJobs(folder, { work: kind });
    expect(again.list().map(({ state }) => state)).toEqual(["interrupted", "interrupted"]);
    await again.resume(two.id);
    await expect.poll(() => again.get(two.id).progress).toBe(0.5);
    end();
    await reaches(again, two.id, "succeeded");
  });

  it("interrupts unfinished jobs when it takes over the folder, whichever process had it", async () => {
    const folder = newFolder();
    const { kind, end } = steered();
    const jobs = await openJobs(folder, { work: kind });
    const { id } = await jobs.create("work", input("one"));
    await reaches(jobs, id, "running");
    await jobs.close();
    // Process 1 always lives: that some process has the number says nothing.
    rewrite(folder, id, { state: "running", endedAt: undefined, pid: 1 });

    let isOwnedElsewhere = true;
    const claim = async () => {
      if (isOwnedElsewhere) throw new AppError("storage_locked", "in use");
    };
    const options = { store: new FolderJobStore(folder, log), kinds: { work: kind }, log };
    const other = await Jobs.open({ ...options, claim, isOwnedElsewhere: () => isOwnedElsewhere });
    open.push(other);
    expect(other.get(id).state).toBe("running"); // its owner says so
    await expect(other.cancel(id)).rejects.toMatchObject({ code: "storage_locked" });
    await expect(other.create("work", input("two"))).rejects.toMatchObject({
      code: "storage_locked",
    });
    isOwnedElsewhere = false; // its owner is gone
    expect(await other.resume(id)).toMatchObject({ state: "running" });
    await expect.poll(() => other.get(id).progress).toBe(0.5);
    end();
    await reaches(other, id, "succeeded");
  });

  it("shows what nobody works at as interrupted, and cancels and resumes it", async () => {
    const folder = newFolder();
    const { kind } = steered();
    const jobs = await openJobs(folder, { work: kind });
    const ids = [
      (await jobs.create("work", input("one"))).id,
      (await jobs.create("work", input("two"))).id,
    ];
    await jobs.close();
    for (const id of ids) rewrite(folder, id, { state: "running", endedAt: undefined, pid: 1 });
    const again = await openJobs(folder, { work: kind });
    expect(again.list().map(({ state }) => state)).toEqual(["interrupted", "interrupted"]);
    expect(await again.cancel(ids[0])).toMatchObject({ state: "cancelled" });
    expect(await again.resume(ids[1])).toMatchObject({ state: "running" });
    expect(await again.resume(ids[0])).toMatchObject({ state: "queued" });
  });

  it("lets a success stand when what it was made from cannot be removed", async () => {
    const folder = newFolder();
    const { kind, end } = steered();
    const jobs = await openJobs(folder, { work: kind });
    const { id } = await jobs.create("work", input("one"));
    await expect.poll(() => jobs.get(id).progress).toBe(0.5);
    const seen: string[] = [];
    jobs.watch(id, ({ state }) => {
      seen.push(state);
      if (state === "succeeded") rmSync(join(folder, id), { recursive: true });
    });
    end();
    await reaches(jobs, id, "succeeded");
    await jobs.close();
    expect(jobs.get(id)).toMatchObject({ state: "succeeded", result: { name: "one" } });
    expect(seen).toEqual(["succeeded"]);
  });

  it("holds the limit of waiting jobs when many are created and resumed at once", async () => {
    const { kind } = steered();
    const jobs = await openJobs(newFolder(), { work: kind });
    const all = await Promise.allSettled(
      Array.from({ length: 60 }, (_, i) => jobs.create("work", input(String(i)))),
    );
    const created = all.flatMap((one) => (one.status === "fulfilled" ? one.value.id : []));
    expect(created).toHaveLength(20);
    for (const one of all) {
      if (one.status === "rejected") expect(one.reason).toMatchObject({ code: "overloaded" });
    }
    const [, ...waiting] = created;
    for (const id of waiting) await jobs.cancel(id);
    for (let i = 0; i < 10; i++) await jobs.create("work", input("another"));
    const resumed = await Promise.allSettled(waiting.map((id) => jobs.resume(id)));
    expect(resumed.filter(({ status }) => status === "fulfilled")).toHaveLength(10);
  });

  it("keeps ended jobs and their inputs up to the configured age and number", async () => {
    const folder = newFolder();
    const { kind } = steered();
    const limits = {
      maxEndedJobs: 4,
      endedJobHours: 48,
      maxResumableJobs: 2,
      resumableJobHours: 24,
    };
    const start = async () => {
      const jobs = await Jobs.open({
        store: new FolderJobStore(folder, log),
        kinds: { work: kind },
        log,
        limits,
      });
      open.push(jobs);
      return jobs;
    };
    const jobs = await start();
    const ids: string[] = [];
    for (let i = 0; i < 6; i++) {
      const { id } = await jobs.create("work", input(String(i)));
      await jobs.cancel(id);
      ids.push(id);
    }
    await expect.poll(() => readdirSync(folder).sort()).toEqual(ids.slice(2).sort());
    const files = (id: string) => readdirSync(join(folder, id)).sort();
    await expect.poll(() => files(ids[3])).toEqual(["job.json"]);
    expect(files(ids[4])).toEqual(["input.json", "inputs.json", "job.json"]);
    await expect(jobs.resume(ids[3])).rejects.toMatchObject({
      code: "conflict",
      message: expect.stringContaining("of the last 2 jobs (options resumableJobHours"),
    });
    await expect(jobs.resume(ids[0])).rejects.toMatchObject({
      code: "not_found",
      message: expect.stringContaining("kept for 48 hours, the last 4 of them"),
    });
    await jobs.close();

    const hoursAgo = (hours: number) => new Date(Date.now() - hours * 3_600_000).toISOString();
    rewrite(folder, ids[4], { endedAt: hoursAgo(49) });
    rewrite(folder, ids[5], { endedAt: hoursAgo(25) });
    const again = await start();
    await again.claim();
    expect(again.list().map(({ id }) => id)).toEqual([ids[5], ids[3], ids[2]]);
    await expect(again.resume(ids[5])).rejects.toMatchObject({ code: "conflict" });
  });

  it("keeps the words of a failure by design and hides those of a fault", async () => {
    const fail = (error: Error): JobKind => ({ lane: "one", run: () => Promise.reject(error) });
    const jobs = await openJobs(newFolder(), {
      bad: fail(new AppError("invalid_input", "no pairs", { param: "pairs" })),
      bug: fail(new TypeError("secret path /x")),
    });
    const [bad, bug] = [await jobs.create("bad", input("")), await jobs.create("bug", input(""))];
    await reaches(jobs, bug.id, "failed");
    expect(jobs.get(bad.id).error).toEqual({
      code: "invalid_input",
      message: "no pairs",
      param: "pairs",
    });
    expect(jobs.get(bug.id).error).toMatchObject({ code: "internal" });
    expect(jobs.get(bug.id).error?.message).not.toContain("secret");
  });

  it("tells watchers every change up to the end", async () => {
    const { kind, end } = steered();
    const jobs = await openJobs(newFolder(), { work: kind });
    const { id } = await jobs.create("work", input("one"));
    const seen: string[] = [];
    jobs.watch(id, ({ state, progress }) => seen.push(`${state} ${progress}`));
    await expect.poll(() => seen).toContain("running 0.5");
    end();
    await expect.poll(() => seen.at(-1)).toBe("succeeded 1");
  });

  it("refuses no job that the server begins itself, however many wait", async () => {
    const { kind } = steered();
    const jobs = await openJobs(newFolder(), { work: kind, own: { ...kind, isInternal: true } });
    for (let i = 0; i < 30; i++) await jobs.create("own", input(String(i)));
    await expect(jobs.create("work", input("a client's"))).resolves.toMatchObject({
      state: "queued",
    });
  });

  it("refuses a job when too many wait, and a folder that cannot be written", async () => {
    const { kind } = steered();
    const jobs = await openJobs(newFolder(), { work: kind });
    for (let i = 0; i < 21; i++) await jobs.create("work", input(String(i)));
    await expect(jobs.create("work", input("more"))).rejects.toMatchObject({ code: "overloaded" });
    const blocked = await openJobs("/dev/null/jobs", { work: kind });
    await expect(blocked.create("work", input(""))).rejects.toMatchObject({
      code: "storage_failed",
    });
  });

  it("removes a job whose write broke off long ago, but not a recent one", async () => {
    const folder = newFolder();
    for (const name of ["half.new", "young.new"])
      mkdirSync(join(folder, name), { recursive: true });
    utimesSync(join(folder, "half.new"), 0, 0);
    const jobs = await openJobs(folder, {});
    expect(jobs.list()).toEqual([]);
    expect(readdirSync(folder)).toEqual(["young.new"]);
  });

  it.each([
    ["empty", () => "", "it is empty"],
    ["cut short", (text: string) => text.slice(0, -5), "it is not JSON"],
    [
      "changed in one letter",
      (text: string) => text.replace("queued", "failed"),
      "contents were changed",
    ],
    ["of another shape", () => '{"id": 5}', '"id" cannot be read'],
    ["gone", undefined, "it is missing"],
  ])("shows a job whose file is %s as failed, with the file and why", async (_, edit, why) => {
    const folder = newFolder();
    const id = "0123456789ab";
    const path = join(folder, id, "job.json");
    mkdirSync(join(folder, id), { recursive: true });
    const createdAt = new Date().toISOString();
    const text = checkedJson({ id, kind: "work", state: "queued", progress: 0, createdAt });
    if (edit !== undefined) writeFileSync(path, edit(text));
    const { kind } = steered();
    const jobs = await openJobs(folder, { work: kind });
    expect(jobs.damage()).toEqual([expect.stringContaining(why)]);
    expect(jobs.get(id)).toMatchObject({
      state: "failed",
      kind: "unknown",
      error: { code: "storage_corrupt", message: expect.stringContaining(path) },
    });
    await expect(jobs.resume(id)).rejects.toMatchObject({ code: "conflict" });
    expect(jobs.get(id).state).toBe("failed");
  });

  it.each([
    ["changed", (path: string) => writeFileSync(path, Uint8Array.of(1, 2, 4))],
    ["gone", (path: string) => rmSync(path)],
  ])("does not run a job of which a file it was made from is %s", async (_, damage) => {
    const folder = newFolder();
    const { kind, started } = steered();
    const jobs = await openJobs(folder, { work: kind });
    await jobs.create("work", input("first"));
    const files = { "rows.npy": Uint8Array.of(1, 2, 3) };
    const { id } = await jobs.create("work", { data: { name: "second" }, files });
    await jobs.cancel(id);
    damage(join(folder, id, "rows.npy"));
    await jobs.cancel(jobs.list()[1].id);
    await jobs.resume(id);
    await reaches(jobs, id, "failed");
    expect(jobs.get(id).error).toMatchObject({
      code: "storage_corrupt",
      message: expect.stringContaining("rows.npy"),
    });
    expect(started).not.toContain("second");
  });
});
