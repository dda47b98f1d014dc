import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { applyHead } from "../../src/encoders/head.js";
import { checksumsOf } from "../../src/files/checksums.js";
import { localFolder } from "../../src/files/state-folder.js";
import { readExport, writeExport } from "../../src/heads/head-files.js";
import { HeadStore } from "../../src/heads/head-store.js";
import { createLog } from "../../src/log.js";
import { projection, projectionVersion } from "./projections.js";

const swap = projection(0, 1, 1, 0);
const same = projection(1, 0, 0, 1);

let folder: string;
beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), "crossmodal-heads-")), "heads");
});
const open = (usedBy?: (name: string) => Promise<string[]>) =>
  HeadStore.open({ files: localFolder(folder), log: createLog("silent"), usedBy });

describe("HeadStore", () => {
  it("answers with a version once it is active, also after a new start", async () => {
    const store = await open();
    expect(await store.add("h", projectionVersion(true), { a: swap })).toBe(1);
    await expect(store.use("h")).rejects.toThrow(/No version of the head "h" is active/);
    await store.activate("h", 1);
    const head = await (await open()).use("h");
    expect(applyHead(head.a!, [Float32Array.of(0.6, 0.8)])[0]).toEqual(Float32Array.of(0.8, 0.6));
    expect(head).toMatchObject({ version: 1, model: "eye" });
    expect(head.b).toBeUndefined();
    expect(head.space).toMatch(/^eye@1\+head-[0-9a-f]{8}$/);
  });

  it("gives other weights another space, and the same weights the same", async () => {
    const store = await open();
    await store.add("h", projectionVersion(true), { a: swap });
    await store.add("h", projectionVersion(true), { a: same });
    await store.add("h", projectionVersion(true), { a: swap });
    const [one, two, three] = await Promise.all(
      [1, 2, 3].map((version) => store.use("h", version)),
    );
    expect(two.space).not.toBe(one.space);
    expect(three.space).toBe(one.space);
    expect((await store.use("h", 1)).space).not.toBe("eye@1");
  });

  it("leaves what a request holds as it is while another version is activated", async () => {
    const store = await open();
    await store.add("h", projectionVersion(true), { a: swap });
    await store.add("h", projectionVersion(true), { a: same });
    await store.activate("h", 1);
    const held = await store.use("h");
    await store.activate("h", 2);
    expect(held.version).toBe(1);
    expect(held.a).toBeDefined();
    expect((await store.use("h")).version).toBe(2);
  });

  it("activates what did not improve only by force", async () => {
    const store = await open();
    await store.add("h", projectionVersion(false), { a: swap });
    await expect(store.activate("h", 1)).rejects.toMatchObject({
      code: "conflict",
      message: expect.stringContaining("Measured."),
    });
    await store.activate("h", 1, { force: true });
    expect(store.get("h").activeVersion).toBe(1);
  });

  it("reports each activation, a repeated one too: its follow-up may have been cut off", async () => {
    const told: string[] = [];
    const onActivated = async (name: string) => [`job-${told.push(name)}`];
    const store = await HeadStore.open({
      files: localFolder(folder),
      log: createLog("silent"),
      onActivated,
    });
    await store.add("h", projectionVersion(true), { a: swap });
    expect(await store.activate("h", 1)).toEqual(["job-1"]);
    expect(await store.activate("h", 1)).toEqual(["job-2"]);
    await store.removeVersion("h", 1).catch(() => undefined);
    expect(told).toEqual(["h", "h"]);
  });

  it("remembers as the parent what was active when a version was made", async () => {
    const store = await open();
    await store.add("h", projectionVersion(true), { a: swap });
    await store.activate("h", 1);
    await store.add("h", projectionVersion(true), { a: same });
    expect(store.get("h").versions).toMatchObject([
      { lineage: { data: "abc", seed: 1 } },
      { lineage: { parent: 1 } },
    ]);
  });

  it("rolls back to what was active before", async () => {
    const store = await open();
    for (const head of [swap, same]) await store.add("h", projectionVersion(true), { a: head });
    await store.activate("h", 2);
    await expect(store.rollback("h")).rejects.toMatchObject({ code: "conflict" });
    await store.activate("h", 1);
    await store.rollback("h");
    expect(store.get("h").activeVersion).toBe(2);
    expect((await open()).get("h").activeVersion).toBe(2);
  });

  it("keeps one version for one job, however often it is resumed", async () => {
    const store = await open();
    expect(await store.add("h", projectionVersion(true, "job-1"), { a: swap })).toBe(1);
    expect(await (await open()).add("h", projectionVersion(true, "job-1"), { a: swap })).toBe(1);
    expect(await store.add("h", projectionVersion(true, "job-2"), { a: swap })).toBe(2);
  });

  it("tells a version with damaged weights and goes on with the others", async () => {
    const first = await open();
    await first.add("h", projectionVersion(true), { a: swap, b: same });
    await first.add("h", projectionVersion(true), { a: same });
    await first.activate("h", 2);
    writeFileSync(join(folder, "h", "1", "a.safetensors"), "half a file");
    const store = await open();
    await expect(store.activate("h", 1)).rejects.toMatchObject({
      code: "model_corrupt",
      message: expect.stringMatching(/Version 1 of the head "h" cannot be used/),
    });
    expect((await store.use("h")).version).toBe(2);
  });

  it("refuses weights that are whole but not those of its space", async () => {
    const first = await open();
    await first.add("h", projectionVersion(true), { a: swap });
    await first.add("h", projectionVersion(true), { a: same });
    writeFileSync(
      join(folder, "h", "1", "a.safetensors"),
      readFileSync(join(folder, "h", "2", "a.safetensors")),
    );
    const names = ["a.safetensors", "head.json", "version.json"];
    const files = names.map((name) => [name, readFileSync(join(folder, "h", "1", name))]);
    writeFileSync(join(folder, "h", "1", "SHA256SUMS"), checksumsOf(Object.fromEntries(files)));
    await expect((await open()).use("h", 1)).rejects.toThrow(/not those of its space/);
  });

  it("lists a version whose description is damaged with its fault", async () => {
    await (await open()).add("h", projectionVersion(true), { a: swap });
    writeFileSync(join(folder, "h", "1", "head.json"), "{");
    const store = await open();
    expect(store.list()).toMatchObject([
      { name: "h", versions: [{ version: 1, unusable: expect.any(String) }] },
    ]);
    await expect(store.use("h", 1)).rejects.toThrow(/head\.json" is damaged/);
  });

  it("lists a version whose file cannot be read with what the system says", async () => {
    await (await open()).add("h", projectionVersion(true), { a: swap });
    rmSync(join(folder, "h", "1", "a.safetensors"));
    mkdirSync(join(folder, "h", "1", "a.safetensors"));
    const path = join(folder, "h", "1", "a.safetensors");
    const why = `The file "${path}" is damaged: it is not a regular file`;
    expect((await open()).list()).toMatchObject([
      { versions: [{ unusable: expect.stringContaining(why) }] },
    ]);
  });

  it("exports a version as one file and imports it elsewhere, the same to the byte", async () => {
    const store = await open();
    await store.add("h", projectionVersion(true), { a: swap, b: same });
    const bytes = await store.export("h", 1);
    const folderOfOther = join(mkdtempSync(join(tmpdir(), "crossmodal-heads-")), "heads");
    const other = await HeadStore.open({
      files: localFolder(folderOfOther),
      log: createLog("silent"),
    });
    expect(await other.import(bytes)).toEqual({ name: "h", version: 1 });
    expect(await other.import(bytes, "copy")).toEqual({ name: "copy", version: 1 });
    expect((await other.use("copy", 1)).space).toBe((await store.use("h", 1)).space);
    expect(await other.export("h", 1)).toEqual(bytes);
    expect(other.get("copy").activeVersion).toBeUndefined();
  });

  it("imports no file that was changed or cut short", async () => {
    const store = await open();
    await store.add("h", projectionVersion(true), { a: swap });
    const bytes = await store.export("h", 1);
    const changed = Uint8Array.from(bytes);
    new DataView(changed.buffer).setFloat32(changed.length - 4, 0.5, true);
    for (const bad of [
      changed,
      bytes.subarray(0, bytes.length - 5),
      new Uint8Array(),
      new Uint8Array(64),
    ]) {
      await expect(store.import(bad)).rejects.toMatchObject({ code: "model_corrupt" });
    }
    expect(store.get("h").versions).toHaveLength(1);
  });

  it("refuses to import a version whose report does not have the shape of one", async () => {
    const store = await open();
    await store.add("h", projectionVersion(true), { a: swap });
    const { name, version, files } = readExport(await store.export("h", 1));
    const measures = {
      recall: { before: "<script>", after: 1, change: 1, interval: [0, 1], says: "better" },
    };
    const report = { ...version.report, measures } as never;
    await expect(
      store.import(writeExport(name, { ...version, report }, files)),
    ).rejects.toMatchObject({
      code: "model_corrupt",
      message: expect.stringContaining("report"),
    });
  });

  it("refuses another model's version, or a cache among projections, under one name", async () => {
    const store = await open();
    await store.add("h", projectionVersion(true), { a: swap });
    expect(() => store.checkFits("h", { model: "ear", kind: "projection" })).toThrow(
      /already a projection of "eye"/,
    );
    expect(() => store.checkFits("h", { model: "eye", kind: "cache" })).toThrow(
      /already a projection of "eye"/,
    );
    expect(() => store.checkFits("../h", { model: "eye", kind: "projection" })).toThrow(
      /Expected 1 to 64 letters/,
    );
    store.checkFits("h", { model: "eye", kind: "projection" });
  });

  it("refuses a name that macOS or Windows could not tell from another", async () => {
    const store = await open();
    await store.add("Calls", projectionVersion(true), { a: swap });
    for (const twin of ["calls", "CALLS", "Calls.."]) {
      const refused = {
        code: "conflict",
        param: "name",
        message:
          `There is already a head "Calls", and "${twin}" would be the same file on macOS or ` +
          "Windows; choose another name",
      };
      const { model, kind } = projectionVersion(true);
      expect(() => store.checkFits(twin, { model, kind })).toThrow(
        expect.objectContaining(refused),
      );
      await expect(store.add(twin, projectionVersion(true), { a: swap })).rejects.toMatchObject(
        refused,
      );
    }
    expect(await store.add("Calls", projectionVersion(true), { a: same })).toBe(2);
    const names = ["Songs", "songs"];
    const added = names.map((name) => store.add(name, projectionVersion(true), { a: swap }));
    const results = await Promise.allSettled(added);
    expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected"]);
    expect(store.list().map(({ name }) => name)).toEqual(["Calls", "Songs"]);
  });

  it("does not delete what is active or in use", async () => {
    let users: string[] = ["photos"];
    const store = await open(async () => users);
    for (const head of [swap, same]) await store.add("h", projectionVersion(true), { a: head });
    await store.activate("h", 2);
    await expect(store.remove("h", { force: true })).rejects.toThrow(
      /used by the collection photos/,
    );
    users = [];
    await expect(store.remove("h")).rejects.toThrow(/is active with version 2/);
    await expect(store.removeVersion("h", 2)).rejects.toThrow(/is active/);
    await store.removeVersion("h", 1);
    expect((await open()).get("h").versions.map(({ version }) => version)).toEqual([2]);
    await store.remove("h", { force: true });
    expect(store.list()).toEqual([]);
    expect((await open()).list()).toEqual([]);
  });

  it("remembers both of two versions that are activated at once", async () => {
    const store = await open();
    for (const head of [swap, same, swap])
      await store.add("h", projectionVersion(true), { a: head });
    await store.activate("h", 1);
    await Promise.all([store.activate("h", 2), store.activate("h", 3)]);
    expect(store.get("h").activeVersion).toBe(3);
    await Promise.all([store.rollback("h"), store.rollback("h")]);
    expect(store.get("h").activeVersion).toBe(1);
    expect((await open()).get("h").activeVersion).toBe(1);
  });

  it("activates no version that is being removed", async () => {
    let answer = () => {};
    const asked = new Promise<void>((resolve) => {
      answer = resolve;
    });
    const store = await open(() => asked.then(() => []));
    for (const head of [swap, same]) await store.add("h", projectionVersion(true), { a: head });
    const removing = store.removeVersion("h", 2);
    const activating = store.activate("h", 2);
    answer();
    await removing;
    await expect(activating).rejects.toMatchObject({ code: "not_found" });
    expect(store.get("h").activeVersion).toBeUndefined();
  });

  it.each([
    ["emptied", () => ""],
    ["cut short", (text: string) => text.slice(0, 10)],
    ["changed", (text: string) => text.replace("[1,2]", "[2,1]")],
    ["gone", undefined],
  ])("answers with no version when the file that says which is active is %s", async (_, edit) => {
    const first = await open();
    for (const head of [swap, same]) await first.add("h", projectionVersion(true), { a: head });
    for (const version of [1, 2]) await first.activate("h", version);
    const path = join(folder, "h", "active.json");
    if (edit === undefined) rmSync(path);
    else writeFileSync(path, edit(readFileSync(path, "utf8")));

    const store = await open();
    expect(store.damage()).toEqual([expect.stringContaining(`"${path}" is damaged`)]);
    expect(store.get("h")).toMatchObject({ activeVersion: undefined, damage: expect.any(String) });
    for (const asked of [store.use("h"), store.rollback("h")]) {
      await expect(asked).rejects.toMatchObject({
        code: "storage_corrupt",
        message: expect.stringContaining("Activate the version"),
      });
    }
    await store.activate("h", 2);
    expect((await store.use("h")).version).toBe(2);
    expect((await open()).damage()).toEqual([]);
  });

  it("does not answer with an earlier version when the active one is gone", async () => {
    const first = await open();
    for (const head of [swap, same]) await first.add("h", projectionVersion(true), { a: head });
    for (const version of [1, 2]) await first.activate("h", version);
    rmSync(join(folder, "h", "2"), { recursive: true });
    const store = await open();
    expect(store.damage()).toEqual(['Version 2 of the head "h", the active one, is missing']);
    await expect(store.use("h")).rejects.toMatchObject({ code: "storage_corrupt" });
    await store.activate("h", 1);
    expect((await store.use("h")).version).toBe(1);
  });

  it.each(["a.safetensors", "head.json", "version.json", "SHA256SUMS"])(
    "lists a version of which %s was changed, cut, emptied or is gone as one that cannot be used",
    async (file) => {
      await (await open()).add("h", projectionVersion(true), { a: swap });
      const path = join(folder, "h", "1", file);
      const whole = readFileSync(path);
      const half = Math.floor(whole.length / 2);
      const flipped = Uint8Array.from(whole, (byte, i) => (i === half ? byte ^ 1 : byte));
      for (const bytes of [flipped, whole.subarray(0, half), new Uint8Array(), undefined]) {
        if (bytes === undefined) rmSync(path);
        else writeFileSync(path, bytes);
        const store = await open();
        expect(store.damage()).toEqual([expect.stringContaining('Version 1 of the head "h"')]);
        expect(store.get("h").versions).toMatchObject([{ unusable: expect.any(String) }]);
        await expect(store.activate("h", 1)).rejects.toMatchObject({ code: "model_corrupt" });
      }
      writeFileSync(path, whole);
      expect((await open()).damage()).toEqual([]);
    },
  );

  it("uses no version whose folder was exchanged for another, each of them whole", async () => {
    const first = await open();
    await first.add("h", projectionVersion(true), { a: swap });
    await first.add("h", projectionVersion(true), { a: same });
    await first.activate("h", 1);
    const at = (version: string) => join(folder, "h", version);
    for (const [from, to] of ["1 3", "2 1", "3 2"].map((pair) => pair.split(" ")))
      renameSync(at(from), at(to));
    const store = await open();
    await expect(store.use("h")).rejects.toMatchObject({
      code: "model_corrupt",
      message: expect.stringContaining(`${join(at("1"), "version.json")}" is damaged: it is that`),
    });
    expect(store.damage()).toHaveLength(2);
    // While a server runs that has read the descriptions, too
    for (const [from, to] of ["1 3", "2 1", "3 2"].map((pair) => pair.split(" ")))
      renameSync(at(from), at(to));
    const running = await open();
    cpSync(at("2"), at("1"), { recursive: true });
    await expect(running.use("h")).rejects.toThrow(/"version":2/);
  });

  it("notices a list of checksums that was cut between two lines", async () => {
    await (await open()).add("h", projectionVersion(true), { a: swap });
    const path = join(folder, "h", "1", "SHA256SUMS");
    writeFileSync(path, readFileSync(path, "utf8").split("\n").slice(0, 1).concat("").join("\n"));
    expect((await open()).damage()).toEqual([expect.stringContaining(`"${path}" is damaged`)]);
  });

  it("uses no version of a head whose folder was renamed, and says whose it is", async () => {
    const first = await open();
    await first.add("h", projectionVersion(true), { a: swap });
    await first.activate("h", 1);
    renameSync(join(folder, "h"), join(folder, "g"));
    const store = await open();
    expect(store.damage()).toEqual([
      expect.stringContaining(`${join(folder, "g", "active.json")}" is damaged: it is that of "h"`),
      expect.stringContaining('{"name":"h","version":1}'),
    ]);
    await expect(store.use("g")).rejects.toMatchObject({ code: "storage_corrupt" });
  });

  it("lists a version that failed to load as unusable until its files are whole again", async () => {
    const store = await open();
    await store.add("h", projectionVersion(true), { a: swap });
    const path = join(folder, "h", "1", "a.safetensors");
    const whole = readFileSync(path);
    writeFileSync(path, "half");
    await expect(store.use("h", 1)).rejects.toMatchObject({ code: "model_corrupt" });
    expect(store.get("h").versions).toMatchObject([{ unusable: expect.any(String) }]);
    writeFileSync(path, whole);
    await store.use("h", 1);
    expect(store.damage()).toEqual([]);
  });

  it("removes no version that a collection is about to follow", async () => {
    const followers: string[] = [];
    const store = await open(async () => followers);
    await store.add("h", projectionVersion(true), { a: swap });
    const created = store.whileKept({ name: "h", version: 1 }, async () => {
      await new Promise(setImmediate);
      followers.push("photos");
    });
    const removed = [store.removeVersion("h", 1), store.remove("h")];
    await created;
    for (const removal of removed)
      await expect(removal).rejects.toThrow(/is used by the collection photos/);
    followers.pop();
    await store.remove("h");
    const create = vi.fn();
    await expect(store.whileKept({ name: "h", version: 1 }, create)).rejects.toMatchObject({
      code: "not_found",
    });
    expect(create).not.toHaveBeenCalled();
  });
});
