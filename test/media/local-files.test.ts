// slow: named pipes are made by another process
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { LocalFiles } from "../../src/media/local-files.js";
import { fixture } from "../helpers/fixtures.js";

let top: string;
let allowed: string;
let files: LocalFiles;
const cat = fixture("images/cat.jpg");
beforeAll(async () => {
  top = mkdtempSync(join(tmpdir(), "crossmodal-files-"));
  allowed = join(top, "allowed");
  mkdirSync(join(allowed, "deep"), { recursive: true });
  mkdirSync(join(top, "allowed-not"));
  for (const path of ["allowed/cat.jpg", "allowed/deep/cat.jpg", "out.jpg", "allowed-not/cat.jpg"])
    writeFileSync(join(top, path), cat);
  writeFileSync(join(allowed, "dog.mp3"), fixture("audio/dog.mp3"));
  writeFileSync(join(allowed, "notes.txt"), "a note");
  writeFileSync(join(allowed, "empty.png"), "");
  symlinkSync(join(top, "out.jpg"), join(allowed, "link-out.jpg"));
  symlinkSync(join(allowed, "cat.jpg"), join(allowed, "link-in.jpg"));
  symlinkSync(top, join(allowed, "up"));
  symlinkSync("circle", join(allowed, "circle"));
  symlinkSync("/dev/zero", join(allowed, "zero"));
  execFileSync("mkfifo", [join(allowed, "pipe.wav")]);
  files = await LocalFiles.open([allowed], 100_000);
});

describe("LocalFiles", () => {
  it("reads a picture or sound by its path in the folder or its absolute one", async () => {
    const picture = await files.read("deep/cat.jpg");
    expect(picture).toMatchObject({ modality: "image", name: "deep/cat.jpg" });
    expect(picture.bytes.equals(cat)).toBe(true);
    expect(await files.read(join(allowed, "dog.mp3"))).toMatchObject({ modality: "audio" });
    expect(await files.read("link-in.jpg")).toMatchObject({ name: "cat.jpg" });
    expect(await files.read("./deep/../cat.jpg")).toMatchObject({ name: "cat.jpg" });
  });

  it.each([
    "../out.jpg",
    "deep/../../out.jpg",
    "link-out.jpg",
    "up/out.jpg",
    "../allowed-not/cat.jpg",
    "/etc/passwd",
    "/proc/self/environ",
    "circle",
    "zero",
    "pipe.wav",
    "deep",
    ".",
    "none.jpg",
    "../none.jpg",
    "cat.jpg\0.png",
    "~/cat.jpg",
    "a/".repeat(5000),
  ])("does not read %s, and does not say whether it exists", async (path) => {
    const message = `There is no file "${path.slice(0, 200)}" in ${files.folders[0]}`;
    await expect(files.read(path)).rejects.toThrow(message);
  });

  it("refuses what is neither picture nor sound, and what is too large", async () => {
    await expect(files.read("notes.txt")).rejects.toThrow("neither a picture nor a sound");
    await expect(files.read("empty.png")).rejects.toThrow("neither a picture nor a sound");
    const small = await LocalFiles.open([allowed], 1000);
    await expect(small.read("cat.jpg")).rejects.toThrow("at most 1000 are read");
  });

  it("never reads outside while links change under it", async () => {
    const inside = join(allowed, "swap");
    const outside = join(top, "swap-out");
    for (const folder of [inside, outside]) mkdirSync(folder);
    writeFileSync(join(inside, "a.jpg"), cat);
    writeFileSync(join(outside, "a.jpg"), Buffer.concat([cat, Buffer.from("secret")]));
    const link = join(allowed, "swapped");
    let going = true;
    const swapping = (async () => {
      for (let i = 0; going; i++) {
        symlinkSync(i % 2 === 0 ? inside : outside, `${link}.new`);
        renameSync(`${link}.new`, link);
        await new Promise(setImmediate);
      }
    })();
    let read = 0;
    for (let i = 0; i < 500; i++) {
      const file = await files.read("swapped/a.jpg").catch(() => undefined);
      if (file === undefined) continue;
      read++;
      expect(file.bytes.length).toBe(cat.length);
    }
    going = false;
    await swapping;
    expect(read).toBeGreaterThan(0);
  });

  it("is opened with folders only", async () => {
    await expect(LocalFiles.open([join(allowed, "cat.jpg")], 1)).rejects.toThrow(
      "Expected a folder",
    );
    await expect(LocalFiles.open([join(top, "none")], 1)).rejects.toThrow("Expected a folder");
  });
});
