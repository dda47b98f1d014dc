import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { openModelFile, readModelJson } from "../../src/models/model-file.js";

let root: string;
let folder: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "crossmodal-model-file-"));
  folder = join(root, "models--a--b/snapshots/main");
  mkdirSync(folder, { recursive: true });
});
const at = (path: string) => join(folder, path);

describe("openModelFile", () => {
  it("follows a hub cache's link to its blob, and a link within the folder", async () => {
    const blob = "0123456789".repeat(4);
    mkdirSync(join(root, "models--a--b/blobs"));
    writeFileSync(join(root, "models--a--b/blobs", blob), "{}");
    symlinkSync(`../../blobs/${blob}`, at("config.json"));
    symlinkSync("config.json", at("again.json"));
    expect(await readModelJson(folder, "config.json")).toEqual({});
    expect(await readModelJson(folder, "again.json")).toEqual({});
  });

  it.each([
    ["a FIFO", (path: string) => execFileSync("mkfifo", [path]), "is not a regular file"],
    ["a device", (path: string) => symlinkSync("/dev/zero", path), "is not a regular file"],
    ["a folder", (path: string) => mkdirSync(path), "is not a regular file"],
    ["a link in a circle", (path: string) => symlinkSync("x", path), "cannot be read (ELOOP)"],
    ["a link to nowhere", (path: string) => symlinkSync("gone", path), "cannot be read (ENOENT)"],
    [
      "a link to a file elsewhere",
      (path: string) => {
        writeFileSync(join(root, "secret"), "secret");
        symlinkSync(join(root, "secret"), path);
      },
      "outside the folder",
    ],
    [
      "a link to a file elsewhere in a folder that is called blobs",
      (path: string) => {
        mkdirSync(join(root, "blobs"));
        writeFileSync(join(root, "blobs/secret"), "secret");
        symlinkSync(join(root, "blobs/secret"), path);
      },
      "outside the folder",
    ],
  ])("refuses %s at once, naming it", async (_, put, message) => {
    put(at("x"));
    await expect(openModelFile(folder, "x")).rejects.toMatchObject({
      code: "invalid_input",
      param: "folder",
      message: expect.stringMatching(`^${at("x")} .*${message.replace(/[()]/g, "\\$&")}`),
    });
  });
});

describe("readModelJson", () => {
  it.each([
    ["nested too deeply", "[".repeat(200_000), "is nested 200000 deep"],
    ["objects nested too deeply", `${'{"a":'.repeat(101)}1${"}".repeat(101)}`, "nested 101 deep"],
    ["too long", `{"a":"${" ".repeat(2000)}"}`, "at most 1000 are read"],
    ["no object", "7", "Expected a JSON object"],
    ["no JSON", "{", "is not valid JSON"],
    ["empty", "", "is not valid JSON"],
  ])("refuses what is %s", async (_, text, message) => {
    writeFileSync(at("x.json"), text);
    const maxBytes = message.includes("1000") ? 1000 : undefined;
    await expect(readModelJson(folder, "x.json", { maxBytes })).rejects.toMatchObject({
      code: "invalid_input",
      message: expect.stringContaining(message),
    });
  });

  it("counts no brackets within strings", async () => {
    const value = { a: `\\"${"[".repeat(500)}`, b: [[1]] };
    writeFileSync(at("x.json"), JSON.stringify(value));
    expect(await readModelJson(folder, "x.json")).toEqual(value);
  });
});
