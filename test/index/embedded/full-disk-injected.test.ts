import { cpSync, mkdtempSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { StoreCore } from "../../../src/index/embedded/store-core.js";
import { randomItems } from "../random-items.js";

// full-disk.test.ts fills a disk that is mounted for it, which is not allowed everywhere. Here the
// disk is made up: what our own code writes fails with ENOSPC, the disk says how much is left, and
// SQLite is given a largest number of pages.

const disk = vi.hoisted(() => ({ free: Number.POSITIVE_INFINITY }));
vi.mock("node:fs", async (importOriginal) => {
  const fs = await importOriginal<typeof import("node:fs")>();
  const noSpace = () =>
    Object.assign(new Error("ENOSPC: no space left on device"), { code: "ENOSPC" });
  const faulty = {
    ...fs,
    statfsSync: () => ({ bavail: Math.min(disk.free, 2 ** 40), bsize: 1 }),
    writeSync: (handle: number, bytes: Uint8Array, offset = 0) => {
      const length = bytes.length - offset;
      if (length > disk.free) throw noSpace();
      disk.free -= length;
      return fs.writeSync(handle, bytes, offset);
    },
    rmSync: (path: string, options?: object) => {
      disk.free += fs.statSync(path, { throwIfNoEntry: false })?.size ?? 0;
      fs.rmSync(path, options);
    },
  };
  return { ...faulty, default: faulty };
});

const dimensions = 16;
const shape = { space: "s", dimensions };
const items = randomItems(4000, dimensions).map(({ embedding, ...item }, i) => ({
  id: item.id,
  modality: 1,
  embedding,
  metadata: JSON.stringify({ pad: "x".repeat(500) }),
  addedAt: { now: 1.7e12 + i },
}));
const query = { embedding: items[99].embedding, topK: 1, recall: "exact" as const };
const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => "done",
    (error: { code?: string }) => error.code ?? String(error),
  );

describe("a disk that is full, made up", () => {
  const dataDir = mkdtempSync(join(tmpdir(), "crossmodal-disk-"));
  const reserve = join(dataDir, "crossmodal.reserve");
  const size = (path: string) => statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  const open = (folder = dataDir) =>
    StoreCore.open({
      dataDir: folder,
      engine: "usearch",
      scanUpTo: 1e6,
      scanHighUpTo: 1e6,
      snapshotAfter: 1e6,
      maxPages: 128, // of 16 KB: 2 MB
    });
  const found = async (core: StoreCore) =>
    (await core.search("c", [query], {}))[0].neighbors[0]?.similarity.toFixed(4);

  it("is read, deleted from and compacted, with the reserve; then there is room again", async () => {
    const core = await open();
    expect(size(reserve)).toBe(2 ** 24);
    await core.createCollection({ name: "c", ...shape });
    let stored = 0;
    for (let code = "done"; code === "done"; ) {
      code = await codeOf(core.upsert("c", shape, items.slice(stored, stored + 100)));
      if (code === "done") stored += 100;
      else expect(code).toBe("storage_full");
    }
    expect(stored).toBeGreaterThan(500);
    disk.free = 0;
    expect(core.condition().cannotWrite).toContain("No disk space left");
    expect(await found(core)).toBe("1.0000");
    const rest = items.slice(100, stored).map(({ id }) => id);
    expect(await codeOf(core.delete("c", { ids: rest }))).toBe("done");
    expect(await codeOf(core.compact())).toBe("done");
    expect(await codeOf(core.upsert("c", shape, items.slice(100, 200)))).toBe("done");
    expect(core.count("c")).toBe(200);
    await core.close();
  });

  it("starts without a byte left, serves reads, refuses writes, and goes on when there is room", async () => {
    // SQLite lets go of a closed database when its last statement is collected.
    const copy = `${dataDir}-copy`;
    cpSync(dataDir, copy, { recursive: true });
    disk.free = 0;
    const core = await open(copy);
    expect(await found(core)).toBe("1.0000");
    expect(core.condition().cannotWrite).toContain("No disk space left");
    const large = items.slice(200).map((item) => ({
      ...item,
      metadata: JSON.stringify({ pad: "x".repeat(5000) }),
    }));
    expect(await codeOf(core.upsert("c", shape, large))).toBe("storage_full");
    disk.free = Number.POSITIVE_INFINITY;
    expect(await codeOf(core.upsert("c", shape, items.slice(200, 300)))).toBe("done");
    expect(core.condition()).toEqual({});
    expect(core.count("c")).toBe(300);
    await core.close();
  });
});
