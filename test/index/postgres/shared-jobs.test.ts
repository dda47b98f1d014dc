import { existsSync, mkdtempSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { writeSealed } from "../../../src/files/sealed-file.js";
import type { Connections } from "../../../src/index/postgres/connections.js";
import {
  connectionsTo,
  openPostgresStore,
} from "../../../src/index/postgres/open-postgres-store.js";
import type { PostgresStore } from "../../../src/index/postgres/postgres-store.js";
import { prepareSchema } from "../../../src/index/postgres/schema.js";
import { SharedJobStore } from "../../../src/index/postgres/state/shared-job-store.js";
import type { JobContext, JobData, JobKind } from "../../../src/jobs/job.js";
import { Jobs } from "../../../src/jobs/jobs.js";
import { createLog } from "../../../src/log.js";
import { hasPostgres, onPostgres, TestPostgres } from "../../helpers/postgres.js";
import { randomItems } from "../random-items.js";

const log = createLog("silent");

interface TestServer {
  name: string;
  jobs: Jobs;
  store: SharedJobStore;
  connections: Connections;
  /** Runs under way here, by the name in their input. */
  runs: Map<string, { end(): void; context: JobContext }>;
  /** Names of all runs that began here. */
  began: string[];
}

describe.skipIf(!hasPostgres(18))(onPostgres("Jobs of several servers"), () => {
  let postgres: TestPostgres;
  let database = 0;
  const servers: TestServer[] = [];
  beforeAll(async () => {
    postgres = await TestPostgres.start();
  });
  afterAll(() => postgres?.dispose());
  beforeEach(() => postgres.query(`create database jobs_${++database}`));
  afterEach(async () => {
    for (const { jobs, connections } of servers.splice(0)) {
      await jobs.close();
      await connections.close().catch(() => undefined); // where the test has closed them
    }
  });
  const sql = (statement: string) => postgres.query(statement, `jobs_${database}`);

  async function start(name: string, kinds: Record<string, Partial<JobKind>> = {}) {
    const folder = mkdtempSync(join(tmpdir(), "crossmodal-jobs-"));
    const connections = connectionsTo({ url: postgres.url(`jobs_${database}`), maxConnections: 3 });
    const runs: TestServer["runs"] = new Map();
    const began: string[] = [];
    const run: JobKind["run"] = async (input, context) => {
      const called = input.name as string;
      const checkpoint = join(context.folder, "checkpoint");
      const before = existsSync(checkpoint) ? await readFile(checkpoint, "latin1") : "";
      began.push(called);
      await new Promise<void>((resolve, reject) => {
        runs.set(called, { end: resolve, context });
        context.signal.addEventListener("abort", () => reject(new Error("stopped")));
      }).finally(() => runs.delete(called));
      return { by: name, from: before.slice(0, -32) } satisfies JobData;
    };
    const server = () => name;
    const store = new SharedJobStore({
      connections,
      folder,
      server,
      leaseMs: 60_000,
      renewEveryMs: 100,
      log,
    });
    const all = { work: {}, ...kinds };
    const jobs = await Jobs.open({
      store,
      log,
      kinds: Object.fromEntries(
        Object.entries(all).map(([kind, own]) => [kind, { lane: "one", run, ...own }]),
      ),
      claim: () => connections.write(prepareSchema),
    });
    jobs.follow();
    servers.push({ name, jobs, store, connections, runs, began });
    return servers.at(-1) as TestServer;
  }
  const input = (name: string) => ({ data: { name }, files: { "rows.bin": Buffer.from(name) } });
  /** The server that runs a job. */
  async function whoRuns(name: string): Promise<TestServer> {
    const find = () => servers.find(({ runs }) => runs.has(name));
    await expect.poll(find).toBeDefined();
    return find() as TestServer;
  }
  const stateAt = ({ jobs }: TestServer, id: string) =>
    expect.poll(async () => {
      await jobs.refresh();
      return jobs.get(id);
    });
  /** As if the server that runs a job had not renewed its lease, and could not any more. */
  const endLease = () =>
    sql("update crossmodal.jobs set fence = fence + 1, lease_until = now() - interval '1 s'");
  const step = (server: TestServer, name: string, checkpoint: string) => {
    const run = server.runs.get(name);
    if (run === undefined) throw new Error(`The server does not run "${name}"`);
    return writeSealed(join(run.context.folder, "checkpoint"), checkpoint);
  };

  it("are cancelled while they are being taken", async () => {
    const one = await start("one");
    const take = one.store.take.bind(one.store);
    let isTaken = false;
    let goOn = () => {};
    vi.spyOn(one.store, "take").mockImplementationOnce(async (...args) => {
      const taken = await take(...args);
      isTaken = true;
      await new Promise<void>((resolve) => {
        goOn = resolve;
      });
      return taken;
    });
    const { id } = await one.jobs.create("work", input("a"));
    await expect.poll(() => isTaken).toBe(true);
    const cancelled = one.jobs.cancel(id);
    await one.jobs.refresh();
    goOn();
    expect(await cancelled).toMatchObject({ state: "cancelled" });
    await one.jobs.create("work", input("b"));
    (await whoRuns("b")).runs.get("b")?.end();
    expect(one.began).toEqual(["b"]);
    await stateAt(one, id).toMatchObject({ state: "cancelled" });
  });

  it("are cancelled on a server that has not heard yet who took them", async () => {
    const [one, other] = [await start("one"), await start("other")];
    vi.spyOn(one.store, "take").mockResolvedValue(undefined);
    const nothing = { changed: [], removed: [] };
    const poll = vi.spyOn(one.store, "pollChanges").mockResolvedValue(nothing);
    const { id } = await one.jobs.create("work", input("a"));
    expect(await whoRuns("a")).toBe(other);
    poll.mockRestore();
    vi.spyOn(one.store, "pollChanges").mockResolvedValueOnce(nothing);
    expect(await one.jobs.cancel(id)).toMatchObject({ state: "cancelled" });
    await expect.poll(() => other.runs.size).toBe(0);
    await stateAt(other, id).toMatchObject({ state: "cancelled" });
  });

  it("run once, one at a time in a lane, and all servers see how they end", async () => {
    const [one, other] = [await start("one"), await start("other")];
    const made = await Promise.all(
      ["a", "b", "c", "d"].map((name, i) => [one, other][i % 2].jobs.create("work", input(name))),
    );
    for (let i = 0; i < made.length; i++) {
      await expect.poll(() => one.runs.size + other.runs.size).toBe(1);
      const server = one.runs.size > 0 ? one : other;
      const [[name, { end, context }]] = [...server.runs];
      expect(await readFile(join(context.folder, "rows.bin"), "utf8")).toBe(name);
      end();
      await expect.poll(() => server.runs.has(name)).toBe(false);
    }
    for (const { id } of made)
      for (const server of [one, other])
        await stateAt(server, id).toMatchObject({ state: "succeeded" });
    expect([...one.began, ...other.began].sort()).toEqual(["a", "b", "c", "d"]);
    expect(await sql("select from crossmodal.files")).toEqual([]); // inputs are removed
  });

  it("are cancelled, resumed and watched on any server", async () => {
    const [one, other] = [await start("one"), await start("other")];
    const { id } = await one.jobs.create("work", input("a"));
    const running = await whoRuns("a");
    const elsewhere = running === one ? other : one;
    await stateAt(elsewhere, id).toMatchObject({ state: "running" });
    running.runs.get("a")?.context.report(0.5);
    await step(running, "a", "half");
    expect((await elsewhere.jobs.cancel(id)).state).toBe("cancelled");
    const seen: string[] = [];
    one.jobs.watch(id, ({ state }) => seen.push(state));
    await other.jobs.resume(id);
    await expect(one.jobs.resume(id)).rejects.toMatchObject({ code: "conflict" });
    (await whoRuns("a")).runs.get("a")?.end();
    await stateAt(one, id).toMatchObject({ state: "succeeded", result: { from: "half" } });
    await expect.poll(() => seen.at(-1)).toBe("succeeded");
  });

  it("are gone on with from their checkpoint when their server is gone", async () => {
    const one = await start("one");
    const { id } = await one.jobs.create("work", input("a"));
    await whoRuns("a");
    const other = await start("other");
    await stateAt(other, id).toMatchObject({ state: "running" });
    await step(one, "a", "half");
    await expect
      .poll(() => sql("select from crossmodal.files where path like '%/checkpoint'"))
      .toHaveLength(1);
    // Another server takes it while the first one is paused, and the first one learns of it.
    await sql(`update crossmodal.jobs set fence = fence + 1, owner = 'third',
      lease_until = now() + interval '1 h'`);
    await expect.poll(() => one.runs.has("a")).toBe(false);
    await stateAt(one, id).toMatchObject({ state: "running" });
    expect(other.began).toEqual([]);
    await one.jobs.close();
    await endLease();
    await expect.poll(() => other.began).toEqual(["a"]);
    other.runs.get("a")?.end();
    await stateAt(other, id).toMatchObject({
      state: "succeeded",
      result: { by: "other", from: "half" },
    });
  });

  it("go on at once when their own server starts again", async () => {
    const first = await start("one");
    const { id } = await first.jobs.create("work", input("a"));
    await whoRuns("a");
    await first.connections.close(); // as a killed process does
    const again = await start("one");
    await expect.poll(() => again.began).toEqual(["a"]);
    again.runs.get("a")?.end();
    await stateAt(again, id).toMatchObject({ state: "succeeded" });
  });

  it("wait for another server when theirs shuts down", async () => {
    const one = await start("one");
    const { id } = await one.jobs.create("work", input("a"));
    await whoRuns("a");
    await step(one, "a", "half");
    await one.jobs.close();
    const other = await start("other");
    await expect.poll(() => other.began).toEqual(["a"]);
    other.runs.get("a")?.end();
    await stateAt(other, id).toMatchObject({ state: "succeeded", result: { from: "half" } });
  });

  it("write nothing to collections once another server has taken them", async () => {
    const url = postgres.url(`jobs_${database}`);
    const store = await openPostgresStore({ url });
    try {
      await store.createCollection({ name: "photos", space: "toy", dimensions: 16 });
      const items = randomItems(40, 16);
      let end = () => {};
      const outcomes: unknown[] = [];
      const run: JobKind["run"] = async () => {
        outcomes.push((await store.upsert("photos", items.slice(0, 10))).length);
        await jobs.create("work", input("after"));
        await new Promise<void>((resolve) => {
          end = resolve;
        });
        // Whoever is paused goes on from anywhere.
        for (const write of [
          () => store.upsert("photos", items),
          () => store.delete("photos", { ids: items.map(({ id }) => id) }),
          () => store.dropCollection("photos"),
          () => store.setAlias("other", "photos"),
        ])
          outcomes.push(await write().catch(({ code }) => code));
        return {};
      };
      const { jobs, runs } = await start("one", { write: { lane: "other", run } });
      const { id } = await jobs.create("write", input("a"));
      await expect.poll(() => runs.has("after")).toBe(true);
      await sql(`update crossmodal.jobs set fence = fence + 1, owner = 'third',
        lease_until = now() + interval '1 h' where id = '${id}'`);
      end();
      await expect.poll(() => outcomes).toEqual([10, ...Array(4).fill("conflict")]);
      expect(await store.stats("photos")).toMatchObject({ count: 10, aliases: [] });
      runs.get("after")?.end();
      const after = jobs.list().find(({ kind }) => kind === "work");
      await stateAt(servers[0], after?.id ?? "").toMatchObject({ state: "succeeded" });
      await store.upsert("photos", items);
      expect((await store.stats("photos")).count).toBe(40);
    } finally {
      await store.close();
    }
  });

  it("take the watch of a collection away from a server that hangs", async () => {
    const url = postgres.url(`jobs_${database}`);
    const stores = [await openPostgresStore({ url }), await openPostgresStore({ url })];
    try {
      await stores[0].createCollection({ name: "photos", space: "toy", dimensions: 16 });
      const takes: unknown[] = [];
      const watcher =
        (store: PostgresStore): JobKind["run"] =>
        async () => {
          const watch = await store.watch("photos");
          takes.push((await watch.take()).ids.size);
          // The first one does not stop when its job is taken, as if it were paused.
          await expect.poll(() => takes.length).toBeGreaterThan(1);
          if (store === stores[0]) takes.push(await watch.take().catch(({ code }) => code));
          await watch.end();
          return {};
        };
      const kind = (i: number) => ({ watch: { lane: "collections", run: watcher(stores[i]) } });
      const one = await start("one", kind(0));
      const { id } = await one.jobs.create("watch", input("a"));
      await expect.poll(() => takes).toEqual([0]);
      const other = await start("other", kind(1));
      await expect(stores[1].watch("photos")).rejects.toMatchObject({ code: "conflict" });
      await endLease();
      await stateAt(other, id).toMatchObject({ state: "succeeded" });
      await expect.poll(() => takes).toEqual([0, 0, "storage_unavailable"]);
    } finally {
      for (const store of stores) await store.close();
    }
  });

  it("fail after three servers have ended while they ran them", async () => {
    const one = await start("one");
    const { id } = await one.jobs.create("work", input("a"));
    await whoRuns("a");
    await start("other");
    await start("third");
    await sql("update crossmodal.jobs set deaths = 2");
    await endLease();
    await stateAt(servers[2], id).toMatchObject({
      state: "failed",
      error: { code: "unavailable", message: expect.stringContaining("3 servers ended") },
    });
  });

  it("that change one server only run there", async () => {
    const local = { pull: { isLocal: true, lane: "pull" } };
    const [one, other] = [await start("one", local), await start("other", local)];
    for (const [server, name] of [
      [one, "a"],
      [other, "b"],
    ] as const) {
      const { id } = await server.jobs.create("pull", input(name));
      expect((await whoRuns(name)).name).toBe(server.name);
      server.runs.get(name)?.end();
      await stateAt(server, id).toMatchObject({ state: "succeeded" });
    }
  });
});
