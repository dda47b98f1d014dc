import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import type { FileStatus } from "../../src/commands/add-files.js";
import { pruneGone } from "../../src/commands/prune.js";
import type { Target } from "../../src/commands/target.js";

let root: string;
let stored: { id: string; source: string }[];
/** A collection with one item for each file that is named, whether the file is there or not. */
const fakeTarget = {
  listItems: async (_: string, { filter }: { filter: string }) => {
    const { value } = JSON.parse(filter) as { value: string };
    return { data: stored.filter(({ source }) => source.startsWith(value)) };
  },
  deleteItems: async (_: string, { ids }: { ids: readonly string[] }) => {
    stored = stored.filter(({ id }) => !ids.includes(id));
    return { deleted: ids.length };
  },
} as unknown as Target;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "crossmodal-prune-"));
  for (const folder of ["kept", "empty"]) mkdirSync(join(root, folder));
  writeFileSync(join(root, "kept", "a.jpg"), "");
  const names = ["kept/a.jpg", "kept/b.jpg", "moved/c.jpg", "empty/d.jpg", "broken/e.jpg"];
  symlinkSync("nowhere", join(root, "broken"));
  stored = names.map((id) => ({ id, source: join(root, id) }));
});

async function prune(given: { recursive?: boolean; idPrefix?: string; dryRun?: boolean } = {}) {
  const removed: string[] = [];
  const onStatus = async ({ id, status }: FileStatus) => {
    expect(status).toBe("removed");
    removed.push(id);
  };
  const { signal } = new AbortController();
  const defaults = { recursive: true, idPrefix: "", dryRun: false };
  const kept = await pruneGone(fakeTarget, "photos", [root], {
    ...defaults,
    ...given,
    signal,
    onStatus,
  });
  return { removed, kept, left: stored.map(({ id }) => id) };
}

describe("pruneGone", () => {
  it("removes what is gone, but nothing from an empty folder or a broken link", async () => {
    const { removed, kept, left } = await prune();
    expect(removed).toEqual(["kept/b.jpg", "moved/c.jpg"]);
    expect(left).toEqual(["kept/a.jpg", "empty/d.jpg", "broken/e.jpg"]);
    expect(kept).toEqual([
      expect.stringMatching(/empty: empty, or not mounted: 1 item stays/),
      expect.stringMatching(/broken: no such file: 1 item stays/),
    ]);
  });

  it("removes nothing when the whole folder is empty or gone", async () => {
    rmSync(root, { recursive: true });
    expect(await prune()).toMatchObject({ removed: [], kept: [] });
    mkdirSync(root);
    const { removed, kept } = await prune();
    expect(removed).toEqual([]);
    expect(kept).toEqual([expect.stringMatching(/5 items stay/)]);
  });

  it("leaves items of other ids alone, and those of folders that were not walked", async () => {
    expect((await prune({ idPrefix: "mine/" })).removed).toEqual([]);
    expect((await prune({ recursive: false })).removed).toEqual([]);
    stored.push({ id: "f.jpg", source: join(root, "f.jpg") });
    stored.push({ id: "b.jpg", source: join(`${root}2`, "b.jpg") });
    expect((await prune({ recursive: false })).removed).toEqual(["f.jpg"]);
  });

  it("removes nothing in a dry run, and says what it would", async () => {
    const { removed, left } = await prune({ dryRun: true });
    expect([removed, left]).toEqual([["kept/b.jpg", "moved/c.jpg"], stored.map(({ id }) => id)]);
    expect(left).toHaveLength(5);
  });
});
