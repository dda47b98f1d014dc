import { spawnSync } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const child = fileURLToPath(new URL("./full-disk-child.ts", import.meta.url));
const disk = mkdtempSync(join(tmpdir(), "crossmodal-disk-"));

/** Runs with an own view of the file systems, in which a small one is mounted on `disk`. */
const onSmallDisk = (command: string, ...args: string[]) =>
  spawnSync(
    "unshare",
    [
      "-rm",
      "sh",
      "-c",
      `mount -t tmpfs -o size=40m tmpfs "$0" && exec "$@"`,
      disk,
      command,
      ...args,
    ],
    { encoding: "utf8" },
  );
const canMount = onSmallDisk("true").status === 0;
if (!canMount) console.warn("A full disk is not tested: no file system can be mounted here");

describe.skipIf(!canMount)("a disk without a byte left", () => {
  it("can be read, deleted from, compacted and started on; writes go on once there is room", () => {
    const { stdout, stderr } = onSmallDisk(process.execPath, "--import", "tsx", child, disk);
    expect(stderr).toBe("");
    const found = JSON.parse(stdout) as Record<string, unknown>;
    expect(found).toMatchObject({
      full: "storage_full",
      leftWhenFull: 0,
      deleted: "done",
      compacted: "done",
      storedAfterwards: "done",
      leftAtStart: 0,
      found: true,
      whileFull: "storage_full",
      refusal: expect.stringContaining("No disk space left"),
      withRoom: "done",
      condition: {},
      count: 300,
    });
    // Ten thousands of items of 600 bytes were stored; a hundred are left.
    expect(found.stored).toBeGreaterThan(5000);
    expect(found.databaseBytes).toBeLessThan(2 ** 20);
  }, 180_000);
});
