import { execFileSync } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  realpathSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { ContentFiles } from "../../src/files/content-files.js";
import { hashFile } from "../../src/files/hash-file.js";
import { openRegular } from "../../src/files/open-regular.js";

const top = realpathSync(mkdtempSync(join(tmpdir(), "crossmodal-open-")));
const folder = join(top, "folder");
const at = (path: string) => join(folder, path);
const read = async (path: string, within?: string[]) => {
  const file = await openRegular(path, { within });
  try {
    return await file.readFile("utf8");
  } finally {
    await file.close();
  }
};
beforeAll(() => {
  for (const path of ["in", "moving", "hidden"]) mkdirSync(join(folder, path), { recursive: true });
  mkdirSync(join(top, "secrets"));
  writeFileSync(at("in/a"), "inside");
  writeFileSync(join(top, "secrets/a"), "secret");
  symlinkSync("in/a", at("link"));
  symlinkSync("../secrets", at("out"));
  symlinkSync("/dev/zero", at("device"));
  execFileSync("mkfifo", [at("pipe")]);
});

describe("openRegular", () => {
  it("opens a file in the folder, also by a link within it", async () => {
    expect(await read(at("in/a"), [folder])).toBe("inside");
    expect(await read(at("link"), [folder])).toBe("inside");
    expect(await read(at("out/a"))).toBe("secret"); // without a folder to stay in
    expect(await read(at("out/a"), [folder, join(top, "secrets")])).toBe("secret");
  });

  it.each([
    ["out/a", /is a link to .*secrets\/a, outside the folder/],
    ["in/../../secrets/a", /outside the folder/],
    ["device", /not a regular file/],
    ["pipe", /not a regular file/],
    ["in", /not a regular file/],
    ["none", /ENOENT/],
    ["x".repeat(256), /ENAMETOOLONG/],
  ])("refuses %s at once", async (path, why) => {
    await expect(read(at(path), [folder])).rejects.toThrow(why);
  });

  it("does not wait for a pipe without a folder either", async () => {
    await expect(read(at("pipe"))).rejects.toThrow("not a regular file");
    await expect(hashFile(at("pipe"))).rejects.toThrow("not a regular file");
  });

  it("opens nothing outside while a folder above the file is exchanged", async () => {
    writeFileSync(at("hidden/a"), "inside");
    let going = true;
    const exchanging = (async () => {
      // `moving` is a folder of ours, or a link to the one outside
      for (let i = 0; going; i++) {
        renameSync(at("moving"), at(`was-${i}`));
        if (i % 2 === 0) symlinkSync("../secrets", at("moving"));
        else renameSync(at("hidden"), at("moving"));
        await new Promise(setImmediate);
        if (i % 2 === 1) renameSync(at("moving"), at("hidden"));
        if (i % 2 === 1) symlinkSync("in", at("moving"));
      }
    })();
    const found = new Set<string>();
    for (let i = 0; i < 1000 || found.size === 0; i++)
      found.add(await read(at("moving/a"), [folder]).catch(() => "refused"));
    going = false;
    await exchanging;
    expect(found).not.toContain("secret");
  });
});

describe("ContentFiles", () => {
  it("takes neither a link nor a pipe for a kept file", async () => {
    const files = new ContentFiles(join(top, "media"));
    const [link, pipe] = ["ab", "cd"].map((start) => start.repeat(32));
    for (const name of [link, pipe])
      mkdirSync(join(top, "media", name.slice(0, 2)), { recursive: true });
    symlinkSync(join(top, "secrets/a"), files.pathOf(link));
    execFileSync("mkfifo", [files.pathOf(pipe)]);
    for (const sha256 of [link, pipe]) {
      expect(await files.open(sha256)).toBeUndefined();
      expect(await files.has({ sha256, bytes: 6 })).toBe(false);
    }
    const listed = [];
    for await (const one of files.list()) listed.push(one);
    expect(listed).toEqual([]);
  });
});
