import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { type ProjectionHead, writeHead } from "../../src/encoders/head.js";
import { localFolder } from "../../src/files/state-folder.js";
import { BridgeStore } from "../../src/heads/bridge-store.js";
import { createLog } from "../../src/log.js";

const log = createLog("silent");
const packs = [
  { id: "ear", space: "ear@1" },
  { id: "eye", space: "eye@1" },
];
const head: ProjectionHead = {
  kind: "linear",
  layers: [
    {
      weight: Float32Array.of(1, 0, 0, 1),
      bias: new Float32Array(2),
      dimensionsIn: 2,
      dimensionsOut: 2,
    },
  ],
};
const made = {
  name: "ear-to-eye",
  fromSpace: "ear@1",
  toSpace: "eye@1",
  head,
  method: "ridge",
  report: { texts: 9 },
};

let folder: string;
let shippedFolder: string;
beforeEach(() => {
  const root = mkdtempSync(join(tmpdir(), "crossmodal-bridges-"));
  folder = join(root, "bridges");
  shippedFolder = join(root, "shipped");
  ship("ear-to-eye", "ear@1", "eye@1");
});

function ship(name: string, from: string, to: string) {
  mkdirSync(join(shippedFolder, name), { recursive: true });
  const metadata = { name, from_space: from, to_space: to, method: "ridge" };
  writeFileSync(join(shippedFolder, name, "bridge.safetensors"), writeHead(head, metadata));
}
const open = (loaded = packs) =>
  BridgeStore.open({ files: localFolder(folder), shippedFolder, spaces: () => loaded, log });

describe("BridgeStore", () => {
  it("uses a shipped bridge between the spaces of the loaded models, as version 1", async () => {
    const [bridge] = (await open()).active();
    expect(bridge).toMatchObject({
      name: "ear-to-eye",
      version: 1,
      fromSpace: "ear@1",
      toSpace: "eye@1",
    });
    expect(bridge).toMatchObject({ shipped: true, head: { kind: "linear" } });
  });

  it.each([
    [
      "the model it starts from has other weights",
      [{ id: "ear", space: "ear@2" }, packs[1]],
      /starts from ear@1/,
    ],
    [
      "the model it leads to has other weights",
      [packs[0], { id: "eye", space: "eye@2" }],
      /"eye" embeds into eye@2/,
    ],
  ])("does not use it when %s, and says so", async (_, loaded, why) => {
    const store = await open(loaded);
    expect(store.active()).toEqual([]);
    expect(store.get("ear-to-eye").versions[0].unusable).toMatch(why);
    await expect(store.activate("ear-to-eye", 1)).rejects.toMatchObject({ code: "conflict" });
  });

  it("is used when its target model is not loaded: a collection may still be in that space", async () => {
    expect((await open([packs[0]])).active()).toHaveLength(1);
  });

  it("numbers versions made here from 2, and answers with one only once it is activated", async () => {
    const store = await open();
    const before = store.active();
    expect(await store.add(made)).toBe(2);
    expect(store.active()).toEqual(before);
    await store.activate("ear-to-eye", 2);
    expect(store.active()).toMatchObject([{ version: 2, shipped: false }]);
    expect(before).toMatchObject([{ version: 1 }]); // what a request under way holds
    expect((await open()).active()).toMatchObject([{ version: 2 }]);
    expect(store.get("ear-to-eye").versions).toMatchObject([
      { active: false },
      { active: true, report: { texts: 9 } },
    ]);
  });

  it("uses one bridge between two spaces: local before shipped, then the first by name", async () => {
    const store = await open();
    for (const name of ["mine", "best"])
      await store.activate(name, await store.add({ ...made, name }));
    expect(store.active().map(({ name }) => name)).toEqual(["best"]);
    expect(store.list().map(({ name, inUse }) => [name, inUse])).toEqual([
      ["best", true],
      ["ear-to-eye", false],
      ["mine", false],
    ]);
    await store.remove("best");
    expect((await open()).active().map(({ name }) => name)).toEqual(["mine"]);
    await store.remove("mine");
    expect(store.active().map(({ name }) => name)).toEqual(["ear-to-eye"]);
  });

  it("rolls back to what was active before, down to the shipped version", async () => {
    const store = await open();
    await store.add(made);
    await store.add(made);
    await store.activate("ear-to-eye", 3);
    await store.activate("ear-to-eye", 2);
    expect(await store.rollback("ear-to-eye")).toBe(3);
    expect(await store.rollback("ear-to-eye")).toBe(1);
    await expect(store.rollback("ear-to-eye")).rejects.toMatchObject({ code: "conflict" });
    expect((await open()).active()).toMatchObject([{ version: 1 }]);
  });

  it("deletes what was made here and keeps what is shipped", async () => {
    const store = await open();
    await expect(store.remove("ear-to-eye")).rejects.toMatchObject({ code: "conflict" });
    await store.add(made);
    await store.activate("ear-to-eye", 2);
    await store.remove("ear-to-eye");
    expect(store.active()).toMatchObject([{ version: 1 }]);
    expect(readdirSync(folder)).toEqual([]);
    await store.add({ ...made, name: "own" });
    await store.remove("own");
    expect(() => store.get("own")).toThrow(/no bridge "own"/);
  });

  it("lists a corrupt version with its fault and goes on with the others", async () => {
    const first = await open();
    await first.add(made);
    const own = { ...made, name: "own", toSpace: "eye@1+head" };
    await first.activate("own", await first.add(own));
    writeFileSync(join(folder, "ear-to-eye", "2", "bridge.safetensors"), "half a file");
    const store = await open();
    expect(store.active()).toHaveLength(2);
    expect(store.get("ear-to-eye").versions[1].unusable).toMatch(
      /cannot be used: The file ".*bridge.safetensors" is damaged/,
    );
    await expect(store.activate("ear-to-eye", 2)).rejects.toThrow(/cannot be used/);
  });

  it("removes what a process left that ended while it added a version", async () => {
    mkdirSync(join(folder, ".building-1234"), { recursive: true });
    utimesSync(join(folder, ".building-1234"), 0, 0);
    expect((await open()).active()).toHaveLength(1);
    expect(existsSync(join(folder, ".building-1234"))).toBe(false);
  });

  it("gives two versions that are added at once different numbers", async () => {
    const store = await open();
    const numbers = await Promise.all([store.add(made), store.add(made), store.add(made)]);
    expect(numbers.sort()).toEqual([2, 3, 4]);
  });

  it("refuses a name that leads out of its folder", async () => {
    const store = await open();
    await expect(store.add({ ...made, name: "../escape" })).rejects.toMatchObject({
      code: "invalid_input",
      param: "name",
    });
  });

  it("refuses a name that macOS or Windows could not tell from another", async () => {
    const store = await open();
    await store.add({ ...made, name: "Mine" });
    const refused = { code: "conflict", param: "name" };
    await expect(store.checkNew("mine")).rejects.toMatchObject(refused);
    await expect(store.add({ ...made, name: "mine" })).rejects.toMatchObject(refused);
    expect(await store.add({ ...made, name: "Mine" })).toBe(2);
  });

  it("remembers both of two versions that are activated at once", async () => {
    const store = await open();
    for (let i = 0; i < 2; i++) await store.add(made);
    await Promise.all([store.activate("ear-to-eye", 2), store.activate("ear-to-eye", 3)]);
    expect(store.active()[0].version).toBe(3);
    expect(await store.rollback("ear-to-eye")).toBe(2);
    expect(await store.rollback("ear-to-eye")).toBe(1);
  });

  it("uses no version whose folder was exchanged for another, each of them whole", async () => {
    const first = await open();
    await first.add(made);
    await first.activate("ear-to-eye", await first.add(made));
    const at = (version: string) => join(folder, "ear-to-eye", version);
    for (const [from, to] of ["2 4", "3 2", "4 3"].map((pair) => pair.split(" ")))
      renameSync(at(from), at(to));
    const store = await open();
    expect(store.active()).toEqual([]);
    expect(store.damage()).toEqual([
      expect.stringContaining('{"name":"ear-to-eye","version":3}'),
      expect.stringContaining('{"name":"ear-to-eye","version":2}'),
    ]);
  });

  it.each(["active.json", "2/bridge.safetensors", "2/report.json"])(
    "uses no version of a bridge whose %s is damaged, and says which file it is",
    async (file) => {
      const first = await open();
      await first.add(made);
      await first.activate("ear-to-eye", 2);
      const path = join(folder, "ear-to-eye", file);
      const whole = readFileSync(path);
      for (const bytes of [new Uint8Array(), whole.subarray(0, -3), undefined]) {
        if (bytes === undefined) rmSync(path);
        else writeFileSync(path, bytes);
        const store = await open();
        expect(store.damage()).toEqual([expect.stringContaining(path)]);
        expect(store.active()).toEqual([]);
      }
      const store = await open();
      await store.activate("ear-to-eye", 1);
      expect(store.active()[0]).toMatchObject({ version: 1, shipped: true });
    },
  );
});
