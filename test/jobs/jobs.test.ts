import { mkdirSync, mkdtempSync, readdirSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { AppError } from "../../src/errors.js";
import type { Job, JobKind } from "../../src/jobs/job.js";
import { Jobs } from "../../src/jobs/jobs.js";
import { createLog } from "../../src/log.js";

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
  const jobs = await Jobs.open({ folder, kinds, log });
  open.push(jobs);
  return jobs;
};
afterEach(async () => {
  for (const jobs of open.splice(0)) await jobs.close();
});

const reaches = (jobs: Jobs, id: string, state: Job["state"]) =>
  expect.poll(() => jobs.get(id).state).toBe(state);
const input = (name: string) => ({ data: { name } });

describe("Jobs", () => {
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

  it("says in plain words why what has ended is not cancelled and what has succeeded is not resumed", async () => {
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
    expect(await refusal(jobs.cancel(bad.id))).toBe(`The job "${bad.id}" has failed already`);
    expect(await refusal(jobs.cancel(good.id))).toBe(`The job "${good.id}" has succeeded already`);
    expect(await refusal(jobs.cancel(unwanted.id))).toBe(
      `The job "${unwanted.id}" was cancelled already`,
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

  it("calls jobs of a process that is gone interrupted, and leaves those of a living one", async () => {
    const folder = newFolder();
    const { kind } = steered();
    const jobs = await openJobs(folder, { work: kind });
    const one = await jobs.create("work", input("one"));
    const two = await jobs.create("work", input("two"));
    await reaches(jobs, one.id, "running");
    await jobs.close();
    const write = (job: Job, pid: number) =>
      writeFileSync(
        join(folder, job.id, "job.json"),
        JSON.stringify({ ...job, state: "running", pid }),
      );
    write(one, 2 ** 22 + 1); // above Linux's largest process number
    write(two, process.ppid);
    const again = await openJobs(folder, { work: kind });
    expect(again.get(one.id).state).toBe("interrupted");
    expect(again.get(two.id).state).toBe("running");
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
    const jobs = await openJobs(newFolder(), { work: kind, own: { ...kind, own: true } });
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

  it("removes a job whose writing was broken off long ago (what is young may be another process's), and leaves a damaged one alone", async () => {
    const folder = newFolder();
    const { kind, end } = steered();
    const jobs = await openJobs(folder, { work: kind });
    const { id } = await jobs.create("work", input("one"));
    await expect.poll(() => jobs.get(id).progress).toBe(0.5);
    end();
    await reaches(jobs, id, "succeeded");
    await jobs.close();
    for (const name of ["half.new", "young.new"]) mkdirSync(join(folder, name));
    utimesSync(join(folder, "half.new"), 0, 0);
    writeFileSync(join(folder, id, "job.json"), "{");
    const again = await openJobs(folder, { work: kind });
    expect(again.list()).toEqual([]);
    expect(readdirSync(folder).sort()).toEqual([id, "young.new"].sort());
  });
});
