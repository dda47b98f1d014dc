import {
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, expect, it, vi } from "vitest";
import { renameDurably, writeDurably } from "../../src/files/write-durably.js";

const base = mkdtempSync(join(tmpdir(), "crossmodal-durable-"));
afterAll(() => rmSync(base, { recursive: true }));

/** What happened, in order. */
let events: string[] = [];
let canSyncFolders = true;
beforeEach(() => {
  events = [];
  canSyncFolders = true;
});
vi.mock("node:fs/promises", async (original) => {
  const fs = await original<typeof import("node:fs/promises")>();
  const name = (path: string) => path.slice(base.length);
  return {
    ...fs,
    open: async (path: string, flags: string, mode?: number): Promise<FileHandle> => {
      const handle = await fs.open(path, flags, mode);
      const sync = handle.sync.bind(handle);
      handle.sync = async () => {
        events.push(`sync ${name(path)}`);
        if ((await handle.stat()).isDirectory() && !canSyncFolders)
          throw Object.assign(new Error("invalid"), { code: "EINVAL" });
        await sync();
      };
      return handle;
    },
    rename: async (from: string, to: string) => {
      events.push(`rename ${name(to)}`);
      await fs.rename(from, to);
    },
  };
});

it("syncs a file before it gets its name, then every folder with a new entry", async () => {
  await writeDurably(join(base, "a/b/file"), "text");
  expect(events).toEqual([
    "sync /a/b/file.part",
    "rename /a/b/file",
    "sync /a/b",
    "sync /a",
    "sync ",
  ]);
  events = [];
  await writeDurably(join(base, "a/b/file"), "other");
  expect(events).toEqual(["sync /a/b/file.part", "rename /a/b/file", "sync /a/b"]);
  expect(readFileSync(join(base, "a/b/file"), "utf8")).toBe("other");
});

it("gives a folder a name that lasts", async () => {
  mkdirSync(join(base, "new"));
  await renameDurably(join(base, "new"), join(base, "c/d"));
  expect(events).toEqual(["rename /c/d", "sync /c", "sync "]);
});

it("takes a file system that cannot sync folders as it is", async () => {
  canSyncFolders = false;
  await writeDurably(join(base, "kept"), "text");
  expect(readFileSync(join(base, "kept"), "utf8")).toBe("text");
});

it("writes through no link of the name that it uses until the file is complete", async () => {
  const victim = join(base, "victim");
  writeFileSync(victim, "precious");
  for (const link of [symlinkSync, linkSync]) {
    const path = join(base, link.name);
    link(victim, `${path}.part`);
    await writeDurably(path, "new");
    expect([readFileSync(path, "utf8"), readFileSync(victim, "utf8")]).toEqual(["new", "precious"]);
  }
});
