import { execFileSync } from "node:child_process";
import { mkdtempSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { readManifest } from "../../src/encoders/read-manifest.js";
import { readCheckedJson } from "../../src/files/checked-json.js";
import { verifyChecksums } from "../../src/files/checksums.js";
import { readRegularFile } from "../../src/files/read-regular.js";

const folder = mkdtempSync(join(tmpdir(), "crossmodal-files-"));
const path = (name: string) => join(folder, name);
beforeAll(() => {
  writeFileSync(path("small.json"), "{}");
  writeFileSync(path("huge"), "{");
  truncateSync(path("huge"), 64 * 2 ** 20); // takes no room on the disk
  execFileSync("mkfifo", [path("fifo")]);
  symlinkSync("/dev/zero", path("device"));
  symlinkSync("huge", path("SHA256SUMS"));
});

describe("readRegularFile", () => {
  it("reads a small file", async () => {
    expect((await readRegularFile(path("small.json"), 2)).toString()).toBe("{}");
  });

  it.each([
    ["small.json", "it has 2 bytes; at most 1 are read"],
    ["fifo", "it is not a regular file"],
    ["device", "it is not a regular file"],
  ])("refuses %s at once", async (name, why) => {
    await expect(readRegularFile(path(name), 1)).rejects.toThrow(why);
  });

  it.each(["huge", "fifo", "device"])(
    "keeps %s out of manifests, settings and sums",
    async (name) => {
      const why = name === "huge" ? "it has 67108864 bytes" : "it is not a regular file";
      const message = expect.stringContaining(why);
      const manifest = readManifest(path(name));
      await expect(manifest).rejects.toMatchObject({ code: "model_corrupt", message });
      const settings = readCheckedJson(path(name));
      await expect(settings).rejects.toMatchObject({ code: "storage_corrupt", message });
      if (name !== "huge") return;
      const sums = verifyChecksums(folder);
      await expect(sums).rejects.toMatchObject({ code: "storage_corrupt", message });
    },
  );
});
