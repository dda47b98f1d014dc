import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { newFile } from "../../src/files/new-file.js";

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "crossmodal-new-file-"));
  path = join(folder, "out.ndjson");
});

async function write(text: string, options?: { replace: boolean }) {
  const file = await newFile(path, options);
  try {
    await file.write(text);
    await file.publish();
  } finally {
    await file.discard();
  }
}

describe("newFile", () => {
  it("writes a file, and replaces it only when told to", async () => {
    await write("one");
    await expect(write("two")).rejects.toMatchObject({ code: "already_exists" });
    await write("three", { replace: true });
    expect(readFileSync(path, "utf8")).toBe("three");
    expect(readdirSync(folder)).toEqual(["out.ndjson"]);
  });

  it.each([
    ["a file", "target"],
    ["a folder", "."],
    ["nothing", "missing"],
    ["itself", "out.ndjson"],
    ["a device", "/dev/null"],
  ])("leaves a link to %s alone", async (_what, to) => {
    writeFileSync(join(folder, "target"), "mine");
    symlinkSync(to, path);
    await expect(write("x")).rejects.toMatchObject({ code: "already_exists" });
    await expect(write("x", { replace: true })).rejects.toMatchObject({
      code: "invalid_input",
      message: expect.stringContaining("is a symbolic link"),
    });
    expect(lstatSync(path).isSymbolicLink()).toBe(true);
    expect(readFileSync(join(folder, "target"), "utf8")).toBe("mine");
    expect(readdirSync(folder).sort()).toEqual(["out.ndjson", "target"]);
  });

  it("does not replace a folder", async () => {
    mkdirSync(path);
    await expect(write("x", { replace: true })).rejects.toMatchObject({ code: "invalid_input" });
  });

  it("does not write through a link laid at its temporary name", async () => {
    const victim = join(folder, "victim");
    symlinkSync(victim, `${path}.${process.pid}.part`);
    await write("mine");
    expect(existsSync(victim)).toBe(false);
    expect(lstatSync(path).isFile()).toBe(true);
    expect(readFileSync(path, "utf8")).toBe("mine");
  });
});
