import { existsSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { Access } from "../../../src/access/access.js";
import { createKey, keyFilePath, revokeKey } from "../../../src/access/key-file.js";
import type { CalibrationFile } from "../../../src/calibrations/calibration.js";
import { CalibrationStore } from "../../../src/calibrations/calibration-store.js";
import { AppError } from "../../../src/errors.js";
import { localFolder } from "../../../src/files/state-folder.js";
import { BridgeStore } from "../../../src/heads/bridge-store.js";
import { HeadStore } from "../../../src/heads/head-store.js";
import { connectionsTo } from "../../../src/index/postgres/open-postgres-store.js";
import { prepareSchema } from "../../../src/index/postgres/schema.js";
import { SharedState } from "../../../src/index/postgres/state/shared-state.js";
import { LabelSetStore } from "../../../src/label-sets/label-set-store.js";
import { createLog } from "../../../src/log.js";
import { projection, projectionVersion } from "../../heads/projections.js";
import { hasPostgres, onPostgres, TestPostgres } from "../../helpers/postgres.js";

const log = createLog("silent");

describe.skipIf(!hasPostgres(18))(onPostgres("SharedState of two servers"), () => {
  let server: TestPostgres;
  let database = 0;
  const opened: SharedState[] = [];
  beforeAll(async () => {
    server = await TestPostgres.start();
  });
  afterAll(async () => {
    for (const state of opened) await state.close();
    await server?.dispose();
  });
  beforeEach(() => server.query(`create database state_${++database}`));

  function start(folder = mkdtempSync(join(tmpdir(), "crossmodal-state-"))): SharedState {
    const connections = connectionsTo({ url: server.url(`state_${database}`), maxConnections: 4 });
    const ready = () => connections.write(prepareSchema);
    const state = new SharedState({ connections, folder, server: () => folder, ready, log });
    opened.push(state);
    return state;
  }
  const headsOf = (state: SharedState, followers: readonly string[] = []) =>
    HeadStore.open({ files: state.folder("heads"), log, usedBy: async () => [...followers] });

  it("shows both what each of them wrote, and what one removed goes from both", async () => {
    const [one, other] = [start(), start()].map((state) => state.folder("things"));
    await one.change(async (changes) => {
      await changes.write("a.json", "1");
      expect(await changes.addFolder("x/1", { "w.bin": Buffer.alloc(20_000_000, 7) })).toBe(true);
      expect(await changes.addFolder("x/1", { "w.bin": "other" })).toBe(false);
    });
    await other.refresh();
    expect(readFileSync(join(other.path, "a.json"), "utf8")).toBe("1");
    expect(readFileSync(join(other.path, "x/1/w.bin")).equals(Buffer.alloc(20_000_000, 7))).toBe(
      true,
    );
    const told: string[][] = [];
    one.onChange = (paths) => told.push([...paths]);
    await other.change(async (changes) => {
      await changes.remove("x");
      await changes.write("a.json", "2");
    });
    await one.refresh();
    expect(told).toEqual([["a.json", "x/1/w.bin"]]);
    expect(existsSync(join(one.path, "x"))).toBe(false);
    expect(readFileSync(join(one.path, "a.json"), "utf8")).toBe("2");
  });

  it("makes all changes of one piece of work or none", async () => {
    const folder = start().folder("things");
    const work = folder.change(async (changes) => {
      await changes.write("a.json", "1");
      throw new AppError("conflict", "halfway");
    });
    await expect(work).rejects.toThrow("halfway");
    await folder.refresh();
    expect(existsSync(join(folder.path, "a.json"))).toBe(false);
  });

  it("fetches a change that came after one of its own that failed", async () => {
    const state = start();
    const [one, other] = [state, start()].map((each) => each.folder("things"));
    await one.change((changes) => changes.write("a.json", "1"));
    const failing = one.change(async () => {
      throw new AppError("conflict", "refused");
    });
    await expect(failing).rejects.toThrow("refused");
    await other.change((changes) => changes.write("a.json", "2"));
    await state.refresh();
    expect(readFileSync(join(one.path, "a.json"), "utf8")).toBe("2");
  });

  it("mends a copy that an earlier process left damaged or too large", async () => {
    const state = start();
    const folder = state.folder("things");
    await folder.change((changes) => changes.write("a.json", "whole"));
    const root = join(folder.path, "..");
    await folder.change((changes) => changes.write("b.json", "other"));
    writeFileSync(join(folder.path, "a.json"), "ha");
    writeFileSync(join(folder.path, "c.json"), "left over");
    const again = start(root).folder("things");
    await again.refresh();
    expect(readFileSync(join(again.path, "a.json"), "utf8")).toBe("whole");
    expect(existsSync(join(again.path, "c.json"))).toBe(false);
  });

  it("takes over what a data folder has, once", async () => {
    const local = localFolder(mkdtempSync(join(tmpdir(), "crossmodal-data-")));
    const key = await createKey(local, { name: "ada", scope: "read" });
    const [one, other] = [start(), start()].map((state) => state.folder("keys"));
    await one.refresh();
    expect(await one.takeOver(local.path, ["keys.json"])).toBe(true);
    expect((await new Access({ apiKeys: [] }, one).callerWith(key))?.name).toBe("ada");
    await one.change((changes) => changes.remove("keys.json"));
    await other.refresh();
    expect(await other.takeOver(local.path, ["keys.json"])).toBe(false); // it is gone by design
    expect(existsSync(keyFilePath(other))).toBe(false);
  });

  it("gives label sets that two servers change at once each a version", async () => {
    const [one, other] = [start(), start()].map(
      (state) => new LabelSetStore(state.folder("label-sets")),
    );
    const set = { labels: [{ label: "cat" }], multiLabel: false };
    const puts = [one, other, one, other].map((store) => store.put("pets", set));
    const versions = (await Promise.all(puts)).map(({ version }) => version);
    expect(versions.sort()).toEqual([1, 2, 3, 4]);
    expect((await one.get("pets")).labels).toEqual([{ label: "cat" }]);
    await one.remove("pets");
    await expect(other.remove("pets")).rejects.toMatchObject({ code: "not_found" });
  });

  it("uses a calibration that another server made, and the version that it activates", async () => {
    const stores = [start(), start()].map(
      (state) => new CalibrationStore({ files: state.folder("calibrations"), log }),
    );
    const [one, other] = stores;
    await expect(other.use("mine")).rejects.toMatchObject({ code: "not_found" });
    const file: CalibrationFile = {
      ...{ formatVersion: 1, model: "eye", space: "eye@1", modality: "image" },
      ...{ createdAt: "2026-01-31T00:00:00.000Z", collection: "things", job: "abc" },
      ...{ items: 2, backgroundLabels: ["cat", null], report: null },
    };
    for (const x of [1, -1]) {
      const background = { values: Float32Array.of(x, 0, 0, x), dimensions: 2 };
      const version = await one.add("mine", { ...file, job: `job${x}` }, background);
      await one.activate("mine", version);
      await opened.at(-1)?.refresh();
      const [used, here] = await Promise.all(stores.map((store) => store.use("mine")));
      expect(here).toEqual(used);
      expect(here).toMatchObject({ version });
    }
    await one.remove("mine");
    await opened.at(-1)?.refresh();
    await expect(other.use("mine")).rejects.toMatchObject({ code: "not_found" });
  });

  it("lets keys in and out on every server", async () => {
    const [one, other] = [start(), start()];
    const access = new Access({ apiKeys: [] }, other.folder("keys"));
    expect(access.needsKey).toBe(true); // it cannot know yet
    await expect(access.callerWith("x")).rejects.toMatchObject({ code: "storage_unavailable" });
    await other.refresh();
    expect(access.needsKey).toBe(false);
    other.follow();
    const key = await createKey(one.folder("keys"), { name: "ada", scope: "read" });
    await expect.poll(() => access.callerWith(key)).toMatchObject({ name: "ada" });
    await revokeKey(one.folder("keys"), key.split("_")[1]);
    await expect.poll(() => access.callerWith(key)).toBeUndefined();
    expect(access.needsKey).toBe(true);
    expect(readFileSync(keyFilePath(other.folder("keys")), "utf8")).not.toContain(key);
  });

  it("removes no version that a collection of another server is about to follow", async () => {
    const followers: string[] = [];
    const [one, other] = [await headsOf(start(), followers), await headsOf(start(), followers)];
    await one.add("h", projectionVersion(true), { a: projection(0, 1, 1, 0) });
    let removed: Promise<void> | undefined;
    await one.whileKept({ name: "h", version: 1 }, async () => {
      removed = other.remove("h");
      removed.catch(() => {});
      // Time for the removal to come to where it has to wait
      await new Promise((resolve) => setTimeout(resolve, 200));
      followers.push("photos");
    });
    await expect(removed).rejects.toThrow(/is used by the collection photos/);
    followers.pop();
    await other.remove("h");
    const create = async () => followers.push("late");
    await expect(one.whileKept({ name: "h", version: 1 }, create)).rejects.toMatchObject({
      code: "not_found",
    });
    expect(followers).toEqual([]);
  });

  it("shows an activation to every server, and answers with one version at a time", async () => {
    const [first, second] = [start(), start()];
    const one = await headsOf(first);
    const other = await headsOf(second);
    second.follow();
    const job = (name: string) => projectionVersion(true, name);
    expect(await one.add("h", job("job-1"), { a: projection(0, 1, 1, 0) })).toBe(1);
    // Known to the other at once: it looks when it does not find one
    expect((await other.use("h", 1)).version).toBe(1);
    // A job that another server goes on with finds its version
    expect(await other.add("h", job("job-1"), { a: projection(0, 1, 1, 0) })).toBe(1);
    expect(await other.add("h", job("job-2"), { a: projection(1, 0, 0, 1) })).toBe(2);
    await one.activate("h", 1);
    const spaces = { 1: (await one.use("h", 1)).space, 2: (await one.use("h", 2)).space };
    expect(new Set(Object.values(spaces)).size).toBe(2);
    await expect.poll(() => other.use("h").then(({ version }) => version)).toBe(1);
    const begin = performance.now();
    await one.activate("h", 2);
    let seen = 0;
    while (seen !== 2) {
      const { version, space } = await other.use("h");
      expect(space).toBe(spaces[version as 1 | 2]);
      seen = version;
      await new Promise(setImmediate);
    }
    console.log(`an activation was seen after ${Math.round(performance.now() - begin)} ms`);
    await other.rollback("h");
    await one.activate("h", 1);
    await one.deactivate("h");
    await expect.poll(() => other.get("h").activeVersion).toBeUndefined();
    await other.removeVersion("h", 2);
    expect(await one.add("h", job("job-3"), { a: projection(0, 0, 1, 1) })).toBe(2);
    // The number has other weights now
    await expect.poll(() => other.use("h", 2).then(({ space }) => space)).not.toBe(spaces[2]);
    await one.remove("h");
    await expect.poll(() => other.list()).toEqual([]);
  });

  it("shows bridges and which of them was activated last to every server", async () => {
    const [first, second] = [start(), start()];
    const open = (state: SharedState) =>
      BridgeStore.open({
        files: state.folder("bridges"),
        shippedFolder: "/nowhere",
        spaces: () => ["a", "b"].map((id) => ({ id, space: `${id}@1` })),
        log,
      });
    const one = await open(first);
    const other = await open(second);
    second.follow();
    const bridge = { fromSpace: "a@1", toSpace: "b@1", method: "linear", report: { texts: 9 } };
    for (const name of ["x", "y"]) await one.add({ name, ...bridge, head: projection(0, 1, 1, 0) });
    await one.activate("x", 1);
    await one.activate("y", 1);
    await expect.poll(() => other.active().map(({ name }) => name)).toEqual(["y"]);
    await one.activate("x", 1);
    await expect.poll(() => other.active().map(({ name }) => name)).toEqual(["x"]);
    await one.deactivate("x");
    await expect.poll(() => other.active().map(({ name }) => name)).toEqual(["y"]);
    await one.remove("y");
    await expect.poll(() => other.active()).toEqual([]);
  });
});
