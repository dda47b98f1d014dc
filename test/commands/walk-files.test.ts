import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { walkFiles } from "../../src/commands/walk-files.js";

const folder = mkdtempSync(join(tmpdir(), "crossmodal-walk-"));
mkdirSync(join(folder, "b", "deep"), { recursive: true });
mkdirSync(join(folder, ".git"));
for (const name of [
  "c.txt",
  "a.txt",
  ".hidden",
  ".git/x.txt",
  "b/2.txt",
  "b/deep/1.txt",
  "b/10.txt",
]) {
  writeFileSync(join(folder, name), name);
}
symlinkSync("..", join(folder, "b", "up"));
symlinkSync("itself", join(folder, "itself"));
symlinkSync("nowhere", join(folder, "gone"));
symlinkSync("../a.txt", join(folder, "b", "linked.txt"));
symlinkSync("b/deep", join(folder, "z"));

const walk = async (root: string, recursive: boolean, eachOnce?: boolean) => {
  const found: string[] = [];
  const options = { recursive, eachOnce, followLinks: true };
  for await (const { name, size, error } of walkFiles(root, options))
    found.push(`${name} ${error ?? size}`);
  return found;
};

describe("walkFiles", () => {
  it("gives files sorted, follows links without looping, skips hidden, reports broken ones", async () => {
    expect(await walk(folder, true)).toEqual([
      "a.txt 5",
      "b/10.txt 8",
      "b/2.txt 7",
      "b/deep/1.txt 12",
      "b/linked.txt 5",
      "c.txt 5",
      "gone no such file",
      "itself a link that leads back to itself",
      "z/1.txt 12",
    ]);
  });

  it("with eachOnce leaves out links to what it finds anyway", async () => {
    const tree = mkdtempSync(join(tmpdir(), "crossmodal-walk-"));
    for (const name of ["real", ".versions", "links"]) mkdirSync(join(tree, name));
    writeFileSync(join(tree, "real", "x.txt"), "x");
    writeFileSync(join(tree, ".versions", "y.txt"), "y");
    symlinkSync("real", join(tree, "again"));
    symlinkSync("../real/x.txt", join(tree, "links", "file"));
    symlinkSync(".versions", join(tree, "old"));
    symlinkSync(join(folder, "b", "deep"), join(tree, "outside"));
    const skipped: string[] = [];
    const found: string[] = [];
    const options = { recursive: true, eachOnce: true, followLinks: true };
    for await (const file of walkFiles(tree, options))
      (file.skipped === "link" ? skipped : found).push(file.name);
    expect(found).toEqual(["old/y.txt", "outside/1.txt", "real/x.txt"]);
    expect(skipped).toEqual(["again", "links/file"]);
    expect(await walk(tree, false, true)).toContain("links 0"); // of no walk that goes deeper
  });

  it("leaves out links that lead out of the folder, unless it is to follow them", async () => {
    const tree = mkdtempSync(join(tmpdir(), "crossmodal-walk-"));
    mkdirSync(join(tree, "in"));
    symlinkSync(join(folder, "a.txt"), join(tree, "file.txt"));
    symlinkSync(folder, join(tree, "in", "folder"));
    symlinkSync("../..", join(tree, "in", "up"));
    symlinkSync("/dev/zero", join(tree, "in", "zero"));
    writeFileSync(join(tree, "in", "..b.txt"), "");
    symlinkSync("in/..b.txt", join(tree, "own.txt"));
    const found: string[] = [];
    for await (const { name, skipped } of walkFiles(tree, { recursive: true }))
      found.push(`${name} ${skipped}`);
    expect(found).toEqual([
      "file.txt outside",
      "in/folder outside",
      "in/up outside",
      "in/zero outside",
      "own.txt undefined",
    ]);
    expect(await walk(tree, true)).toContain("file.txt 5");
  });

  it("ends in folders of links whose paths double with each", async () => {
    const tree = mkdtempSync(join(tmpdir(), "crossmodal-walk-"));
    // Hidden, so that no walk finds them in their own place
    for (let i = 0; i < 30; i++) {
      mkdirSync(join(tree, `.${i}`));
      for (const name of ["x", "y"]) symlinkSync(`../.${i + 1}`, join(tree, `.${i}`, name));
    }
    mkdirSync(join(tree, ".30"));
    writeFileSync(join(tree, ".30", "end.txt"), "end");
    symlinkSync(".0", join(tree, "start"));
    for (const eachOnce of [false, true]) {
      const found = await walk(tree, true, eachOnce);
      expect(found.filter((line) => line.endsWith("end.txt 3"))).toHaveLength(1);
      expect(found.length).toBeLessThan(100);
    }
  });

  it("stays in the folder unless recursive", async () => {
    const found = await walk(join(folder, "b"), false);
    expect(found.filter((line) => !line.endsWith(" 0"))).toEqual([
      "10.txt 8",
      "2.txt 7",
      "linked.txt 5",
    ]);
  });

  it("gives a named file by its name, and says when there is none or it is no file", async () => {
    expect(await walk(join(folder, ".hidden"), true)).toEqual([".hidden 7"]);
    expect(await walk(join(folder, "none.jpg"), true)).toEqual(["none.jpg no such file"]);
    expect(await walk("/dev/null", true)).toEqual(["null neither a file nor a folder"]);
  });
});
