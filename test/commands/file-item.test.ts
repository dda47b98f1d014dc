// slow: named pipes are made by another process
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readFileItem } from "../../src/commands/file-item.js";
import { readLabelledFiles } from "../../src/commands/labelled-files.js";
import { walkFiles } from "../../src/commands/walk-files.js";
import { fixture } from "../helpers/fixtures.js";

const top = mkdtempSync(join(tmpdir(), "crossmodal-item-"));
const folder = join(top, "given");
const at = (path: string) => join(folder, path);
mkdirSync(at("cats"), { recursive: true });
for (const path of ["given/cats/a.jpg", "given/cats/b.jpg", "given/cats/c.jpg", "own.jpg"])
  writeFileSync(join(top, path), fixture("images/cat.jpg"));
writeFileSync(join(top, "credentials.json"), '{"token": "secret"}');
symlinkSync("../../own.jpg", at("cats/own.jpg"));
symlinkSync("../../credentials.json", at("cats/a.jpg.json"));
execFileSync("mkfifo", [at("cats/b.jpg.json")]);
writeFileSync(at("cats/c.jpg.json"), "{");
truncateSync(at("cats/c.jpg.json"), 2 ** 31); // a hole

const options = { metadata: undefined, sidecars: true, modalities: undefined, maxBytes: 2 ** 20 };
const results = async (followLinks?: boolean) => {
  const found: unknown[] = [];
  for await (const file of walkFiles(folder, { recursive: true, followLinks })) {
    const item = await readFileItem(file, options).catch((error: Error) => error.message);
    found.push(typeof item === "object" && "bytes" in item ? item.metadata : item);
  }
  return found;
};

describe("a folder that someone else made", () => {
  it("gives neither a file outside as a picture nor one as a sidecar, and nothing hangs", async () => {
    const outside = await results();
    expect(outside).toEqual([
      expect.stringMatching(/a\.jpg\.json: it is a link to .*--follow-links/),
      { what: "outside links", why: "--follow-links follows them" },
      expect.stringContaining("b.jpg.json: it is not a regular file"),
      expect.stringContaining("c.jpg.json: it has 2147483648 bytes; at most"),
      { what: "other files" },
      { what: "outside links", why: "--follow-links follows them" },
    ]);
    expect((await results(true))[0]).toEqual({ token: "secret" });
  });

  it("is refused by what takes every file of it, unless links are followed", async () => {
    await expect(readLabelledFiles(folder)).rejects.toThrow("a.jpg.json: a link out of the folder");
    const files = await readLabelledFiles(folder, { followLinks: true });
    expect(files.map(({ id }) => id)).toContain("cats/own.jpg");
  });

  it("loses no label whose folder is a link that leads out of it, or nowhere", async () => {
    const labels = join(top, "labels");
    mkdirSync(join(labels, "dog"), { recursive: true });
    writeFileSync(join(labels, "dog", "a.jpg"), fixture("images/cat.jpg"));
    symlinkSync("../given/cats", join(labels, "cat"));
    await expect(readLabelledFiles(labels)).rejects.toThrow(
      `${join(labels, "cat")}: a link out of the folder (--follow-links follows them)`,
    );
    const files = await readLabelledFiles(labels, { followLinks: true });
    expect([...new Set(files.map(({ label }) => label))]).toEqual(["cat", "dog"]);
    symlinkSync("../not-mounted", join(labels, "horse"));
    await expect(readLabelledFiles(labels, { followLinks: true })).rejects.toThrow(
      `${join(labels, "horse")}: no such file`,
    );
  });
});
