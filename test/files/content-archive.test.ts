import { createHash } from "node:crypto";
import { appendFileSync, mkdtempSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { archiveBytes, readArchive, writeArchive } from "../../src/files/content-archive.js";
import { type ContentFile, ContentFiles } from "../../src/files/content-files.js";

let folder: string;
let files: ContentFiles;
let listed: ContentFile[];
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "crossmodal-archive-"));
  files = new ContentFiles(join(folder, "media"));
  for (const bytes of [Buffer.from("a"), Buffer.alloc(2 ** 19 + 3, 7)])
    await files.write(createHash("sha256").update(bytes).digest("hex"), bytes);
  listed = [];
  for await (const one of files.list()) listed.push(one);
});

async function archive(): Promise<string> {
  const file = join(folder, "archive");
  writeFileSync(file, "head");
  for await (const chunk of writeArchive(files, listed)) appendFileSync(file, chunk);
  return file;
}

describe("an archive of content files", () => {
  it("gives back every file, and is as long as it says before", async () => {
    const file = await archive();
    expect(readFileSync(file).length).toBe(4 + archiveBytes(listed));
    const into = new ContentFiles(join(folder, "restored"));
    expect(readArchive(file, 4, { into })).toEqual({ count: 2, damaged: [] });
    for (const { sha256 } of listed)
      expect(readFileSync(into.pathOf(sha256))).toEqual(readFileSync(files.pathOf(sha256)));
  });

  it("is none where the file ends", () => {
    writeFileSync(join(folder, "short"), "head");
    expect(readArchive(join(folder, "short"), 4)).toEqual({ count: 0, damaged: [] });
  });

  it("tells which file is damaged, and leaves it out", async () => {
    writeFileSync(files.pathOf(listed[0].sha256), Buffer.alloc(listed[0].bytes, 9));
    const file = await archive();
    const into = new ContentFiles(join(folder, "restored"));
    expect(readArchive(file, 4, { into })).toEqual({ count: 2, damaged: [listed[0].sha256] });
    expect(await into.open(listed[0].sha256)).toBeUndefined();
  });

  it("is refused wherever it is cut", async () => {
    const file = await archive();
    const whole = readFileSync(file);
    for (const length of [5, 11, 12, 20, 51, 52, 60, whole.length - 41, whole.length - 1]) {
      writeFileSync(file, whole);
      truncateSync(file, length);
      expect(() => readArchive(file, 4), `${length} bytes`).toThrow(/damaged/);
    }
    writeFileSync(file, Buffer.concat([whole, Buffer.from("x")]));
    expect(() => readArchive(file, 4)).toThrow(/damaged/);
  });
});
