import { mkdtempSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import type { CalibrationFile } from "../../src/calibrations/calibration.js";
import { CalibrationStore } from "../../src/calibrations/calibration-store.js";
import { localFolder } from "../../src/files/state-folder.js";
import { createLog } from "../../src/log.js";

const file: CalibrationFile = {
  formatVersion: 1,
  model: "eye",
  space: "eye@1",
  modality: "image",
  createdAt: "2026-01-31T00:00:00.000Z",
  collection: "things",
  job: "abc",
  items: 2,
  backgroundLabels: ["cat", null],
  report: null,
};
const background = (x: number) => ({ values: Float32Array.of(x, 0, 0, x), dimensions: 2 });

let folder: string;
let store: CalibrationStore;
beforeEach(async () => {
  folder = join(mkdtempSync(join(tmpdir(), "crossmodal-calibrations-")), "calibrations");
  const first = open();
  for (const x of [1, -1]) await first.add("c", file, background(x));
  await first.activate("c", 1);
  store = open(); // one that has read nothing yet
});
const open = () => new CalibrationStore({ files: localFolder(folder), log: createLog("silent") });
const at = (version: string) => join(folder, "c", version);

describe("CalibrationStore", () => {
  it("uses no version whose folder was exchanged for another, each of them whole", async () => {
    renameSync(at("1"), at("3"));
    renameSync(at("2"), at("1"));
    renameSync(at("3"), at("2"));
    await expect(store.use("c")).rejects.toMatchObject({
      code: "storage_corrupt",
      message: expect.stringContaining('it is that of {"name":"c","version":2}'),
    });
    expect(await store.damage()).toHaveLength(2);
  });

  it("refuses a name that macOS or Windows could not tell from another", async () => {
    const refused = { code: "conflict", param: "name" };
    await expect(store.checkNew("C")).rejects.toMatchObject(refused);
    await expect(store.add("C", file, background(1))).rejects.toMatchObject(refused);
    expect(await store.add("c", file, background(1))).toBe(3);
  });

  it("lists a version whose background was changed with that file's name", async () => {
    const path = join(at("1"), "background.safetensors");
    const bytes = readFileSync(path);
    bytes[bytes.length - 1] ^= 1;
    writeFileSync(path, bytes);
    expect(await store.damage()).toEqual([expect.stringContaining(`"${path}" is damaged`)]);
    expect((await store.get("c")).versions).toMatchObject([
      { version: 1, unusable: expect.any(String) },
      { version: 2, model: "eye" },
    ]);
  });
});
