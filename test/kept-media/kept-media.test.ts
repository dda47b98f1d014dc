import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { KeptMedia } from "../../src/kept-media/kept-media.js";
import { MissingMedia } from "../../src/kept-media/missing-media.js";
import { createLog } from "../../src/log.js";

let folder: string;
/** Hashes that items refer to, and those that were released since they were asked for. */
let used: Set<string>;
let released: string[];
beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), "crossmodal-media-")), "media");
  used = new Set();
  released = [];
});

const open = (maxBytes = 0, isShared = false) =>
  new KeptMedia({
    folder,
    isShared,
    maxBytes,
    store: {
      mediaInUse: async (hashes) => hashes.filter((hash) => used.has(hash)),
      takeReleasedMedia: async () => released.splice(0),
    },
    log: createLog("silent"),
  });
const file = (text: string) => Buffer.from(text);
const hashOf = (text: string) => createHash("sha256").update(text).digest("hex");
const pathOf = (text: string) => join(folder, hashOf(text).slice(0, 2), hashOf(text));
const names = () =>
  existsSync(folder)
    ? readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => name.length > 2)
    : [];

describe("KeptMedia", () => {
  it("keeps a file once, and as long as a lease or an item needs it", async () => {
    const media = open();
    const [one, other] = [media.lease(), media.lease()];
    const reference = { sha256: hashOf("a"), bytes: 1, mediaType: "application/octet-stream" };
    expect(await Promise.all([one.keep(file("a")), other.keep(file("a"))])).toEqual([
      reference,
      reference,
    ]);
    await one.keep(file("b"));
    expect(names()).toHaveLength(2);
    await one.release();
    expect(names()).toEqual([join(hashOf("a").slice(0, 2), hashOf("a"))]);
    used.add(hashOf("a"));
    await other.release();
    expect((await media.read(reference)).toString()).toBe("a");
    used.clear();
    released = [hashOf("a"), hashOf("never there")];
    await media.removeReleased();
    expect(names()).toEqual([]);
    await expect(media.read(reference)).rejects.toMatchObject({ code: "storage_corrupt" });
  });

  it("loses no file that comes again while it is removed", async () => {
    const media = open();
    for (let round = 0; round < 20; round++) {
      const first = media.lease();
      await first.keep(file("a"));
      const removing = first.release();
      const second = media.lease();
      const keeping = second.keep(file("a"));
      await Promise.all([removing, keeping]);
      expect(existsSync(pathOf("a"))).toBe(true);
      await second.release();
      expect(existsSync(pathOf("a"))).toBe(false);
    }
  });

  it("removes a file at once whatever the clocks say", async () => {
    const media = open();
    const lease = media.lease();
    await lease.keep(file("a"));
    const later = Date.now() / 1000 + 60;
    utimesSync(pathOf("a"), later, later);
    await lease.release();
    expect(existsSync(pathOf("a"))).toBe(false);
  });

  it("leaves what another server of a shared folder may be about to store for an hour", async () => {
    const [one, other] = [open(0, true), open(0, true)];
    const lease = one.lease();
    await lease.keep(file("a"));
    await other.start(); // looks for files without an item
    released = [hashOf("a")];
    await other.removeReleased();
    expect(existsSync(pathOf("a"))).toBe(true);
    const age = () => utimesSync(pathOf("a"), 0, 0);
    age();
    await one.lease().keep(file("a")); // is young again
    await other.removeReleased();
    expect(existsSync(pathOf("a"))).toBe(true);
    age();
    used.add(hashOf("a"));
    await other.removeReleased();
    expect(existsSync(pathOf("a"))).toBe(true);
    used.clear();
    released = [hashOf("a")];
    await other.removeReleased();
    expect(existsSync(pathOf("a"))).toBe(false);
  });

  it("says which files that items refer to are not in the folder", async () => {
    const lease = open().lease();
    await lease.keep(file("here"));
    const media = ["here", "gone"].map((text) => ({ sha256: hashOf(text), bytes: 4 }));
    const messages: unknown[] = [];
    const tell = (...args: unknown[]) => messages.push(args);
    const log = { error: tell, info: tell } as never;
    let some = media.slice(0, 1);
    const missing = new MissingMedia({ folder, some: async () => some, log });
    await missing.look();
    expect([missing.count, missing.reason, messages]).toEqual([0, undefined, []]);
    some = media;
    await missing.look();
    await missing.look(); // is told once
    const reason = expect.stringContaining("1 of 2 kept files");
    expect([missing.count, missing.reason]).toEqual([1, reason]);
    expect(messages).toEqual([[expect.objectContaining({ missing: 1 }), reason]]);
    await lease.keep(file("gone"));
    await missing.look();
    expect(missing.reason).toBeUndefined();
  });

  it("keeps nothing for a lease that was released meanwhile", async () => {
    const media = open();
    const lease = media.lease();
    const keeping = lease.keep(file("a"));
    await lease.release();
    await expect(keeping).rejects.toMatchObject({ code: "cancelled" });
    expect(names()).toEqual([]);
  });

  it("refuses what would exceed the limit, naming the option, and counts what is there", async () => {
    const before = open().lease();
    await before.keep(file("12345"));
    used.add(hashOf("12345"));
    const media = open(8);
    const lease = media.lease();
    await expect(lease.keep(file("6789"))).rejects.toMatchObject({
      code: "storage_full",
      message: expect.stringContaining("maxKeptMediaBytes"),
    });
    expect(names()).toHaveLength(1);
    await lease.keep(file("12345")); // is kept already
    await lease.keep(file("678"));
    used.clear();
    await lease.release();
    await media.lease().keep(file("12345678"));
  });

  it("removes at its start what a crash left behind, and nothing else", async () => {
    const lease = open().lease();
    for (const text of ["a", "b"]) await lease.keep(file(text));
    used.add(hashOf("a"));
    writeFileSync(`${pathOf("b")}.part`, "half");
    mkdirSync(join(folder, "zz"));
    writeFileSync(join(folder, "zz", "note"), "not ours");
    await open().start();
    expect(names().sort()).toEqual(
      [join(hashOf("a").slice(0, 2), hashOf("a")), join("zz", "note")].sort(),
    );
  });

  it("notices damage, and mends it when the file comes again", async () => {
    const media = open();
    const lease = media.lease();
    const reference = await lease.keep(file("abc"));
    writeFileSync(pathOf("abc"), "abd");
    await expect(media.open(reference)).rejects.toMatchObject({ code: "storage_corrupt" });
    await lease.keep(file("abc"));
    expect((await media.read(reference)).toString()).toBe("abc");
    rmSync(pathOf("abc"));
    await expect(media.open(reference)).rejects.toMatchObject({
      message: expect.stringContaining(pathOf("abc")),
    });
  });

  it("removes nothing while all of it is read, and catches up afterwards", async () => {
    const media = open();
    const lease = media.lease();
    await lease.keep(file("a"));
    const [first, second] = [media.pauseRemoval(), media.pauseRemoval()];
    await lease.release();
    await first.release();
    await first.release();
    expect(existsSync(pathOf("a"))).toBe(true);
    await second.release();
    expect(existsSync(pathOf("a"))).toBe(false);
  });

  it("answers storage_failed when the folder cannot be written", async () => {
    writeFileSync(folder, "a file");
    await expect(open().lease().keep(file("a"))).rejects.toMatchObject({ code: "storage_failed" });
  });
});
