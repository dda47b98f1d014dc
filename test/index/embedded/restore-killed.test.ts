// slow: kills a restore at every file operation
import { cpSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { EmbeddedStore } from "../../../src/index/embedded/embedded-store.js";
import { openEmbeddedStore } from "../../../src/index/embedded/open-embedded-store.js";
import { finishRestore, restoreBackup } from "../../../src/index/embedded/restore-backup.js";
import { randomItems } from "../random-items.js";

/** Calls of the file system until the process "dies": from then on every one of them fails. */
const life = vi.hoisted(() => ({ left: Number.POSITIVE_INFINITY }));
vi.mock("node:fs", async (original) => {
  const real = await original<typeof import("node:fs")>();
  const mortal = ["renameSync", "rmSync", "mkdirSync", "copyFileSync", "truncateSync", "writeSync"];
  const dying = Object.fromEntries(
    [...mortal, "fsyncSync"].map((name) => [
      name,
      (...args: unknown[]) => {
        if (life.left-- <= 0) throw new Error("killed");
        return (real[name as "rmSync"] as (...args: unknown[]) => unknown)(...args);
      },
    ]),
  );
  return { ...real, ...dying };
});

const base = mkdtempSync(join(tmpdir(), "crossmodal-restore-"));
const backup = join(base, "backup.sqlite");
const old = join(base, "old");
const items = randomItems(20, 8);
afterAll(() => rmSync(base, { recursive: true }));

async function use<T>(dataDir: string, work: (store: EmbeddedStore) => Promise<T>): Promise<T> {
  const store = await openEmbeddedStore({ dataDir });
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}

beforeAll(async () => {
  await use(join(base, "source"), async (store) => {
    await store.createCollection({ name: "new", space: "s", dimensions: 8 });
    await store.upsert("new", items.slice(0, 15));
    await store.backup(backup);
  });
  await use(join(base, "killed"), async (store) => {
    await store.createCollection({ name: "old", space: "s", dimensions: 8 });
    await store.upsert("old", items);
    // With a log that is not in the database yet
    cpSync(join(base, "killed"), old, { recursive: true });
  });
});

describe("restoreBackup", () => {
  it("leaves the old or the new collections complete wherever it, or its rerun, is killed", async () => {
    const seen = new Set<string>();
    const dataDir = join(base, "data");
    for (let steps = 0, died = true; died; steps++) {
      const again = [0, 2, 5][steps % 3];
      rmSync(dataDir, { recursive: true, force: true });
      mkdirSync(dataDir);
      cpSync(old, dataDir, { recursive: true });
      life.left = steps;
      died = await restoreBackup(backup, dataDir, { replace: true }).then(
        () => false,
        () => true,
      );
      life.left = again;
      try {
        finishRestore(dataDir); // a start that is killed as well
      } catch {}
      life.left = Number.POSITIVE_INFINITY;
      const found = await use(dataDir, (store) => store.listCollections());
      const told = found.map(({ name, count }) => `${name}: ${count}`).join();
      expect(["old: 20", "new: 15"], `after ${steps} steps`).toContain(told);
      if (!died) expect(told).toBe("new: 15");
      seen.add(told);
    }
    expect([...seen].sort()).toEqual(["new: 15", "old: 20"]);
  }, 300_000);
});
