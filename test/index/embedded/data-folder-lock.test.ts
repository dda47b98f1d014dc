import { existsSync, mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { lockDataFolder } from "../../../src/index/embedded/data-folder-lock.js";
import { lockProcesses } from "../../../src/index/embedded/process-lock.js";

let dataDir: string;
let lock: string;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), "crossmodal-lock-"));
  lock = join(dataDir, "crossmodal.lock");
});

const damages: [string, () => void][] = [
  ["holds something else", () => writeFileSync(lock, "x".repeat(5000))],
  ["holds a few bytes", () => writeFileSync(lock, "lock")],
  ["was written over with zeros", () => writeFileSync(lock, Buffer.alloc(4096))],
];

describe("the lock of a data folder", () => {
  it.each(damages)(
    "is named, with what to do, when it %s; without it the folder opens",
    async (_, damage) => {
      (await lockDataFolder(dataDir))();
      damage();
      const named = expect.stringMatching(new RegExp(`"${lock}" is damaged: delete it`));
      await expect(lockDataFolder(dataDir)).rejects.toMatchObject({
        code: "storage_corrupt",
        message: named,
      });
      rmSync(lock);
      const unlock = await lockDataFolder(dataDir);
      expect(existsSync(lock)).toBe(true);
      unlock();
    },
  );

  it("works when it was emptied", async () => {
    (await lockDataFolder(dataDir))();
    truncateSync(lock, 0);
    const unlock = await lockDataFolder(dataDir);
    await expect(lockDataFolder(dataDir)).rejects.toMatchObject({ code: "storage_locked" });
    unlock();
  });

  it("is named when a folder is in its place", async () => {
    mkdirSync(lock);
    await expect(lockDataFolder(dataDir)).rejects.toMatchObject({
      code: "storage_failed",
      message: expect.stringContaining(lock),
    });
  });
});

describe("a lock between processes", () => {
  it.each(damages)("is named, with what to do, when it %s", async (_, damage) => {
    damage();
    await expect(lockProcesses(lock)).rejects.toMatchObject({
      code: "storage_corrupt",
      message: expect.stringContaining(`"${lock}" is damaged: delete it`),
    });
  });
});
