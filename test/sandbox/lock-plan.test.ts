import { mkdirSync, mkdtempSync, realpathSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import { lockPlan } from "../../src/sandbox/lock-plan.js";

const program = {
  writable: ["/tmp/own"],
  folders: ["/opt/code"],
  files: ["/opt/package.json"],
  isRequired: true,
};
const attributesOf = (version: number) =>
  Buffer.from(lockPlan(program, version).landlock!.attributes, "base64");

afterEach(() => void vi.unstubAllEnvs());

describe("lockPlan", () => {
  it("lets it read a program in a user's folder and the libraries beside, and no more", () => {
    const home = realpathSync(mkdtempSync(join(tmpdir(), "crossmodal-home-")));
    mkdirSync(join(home, "bin"));
    writeFileSync(join(home, "bin/ffmpeg"), "");
    vi.stubEnv("PATH", join(home, "bin"));
    const { rules } = lockPlan(program, 7).landlock!;
    const [executeAndRead, readFolderToo] = [0b101, 0b1101];
    expect(rules.filter(({ path }) => path.startsWith(home))).toEqual([
      { path: join(home, "lib"), access: readFolderToo },
      { path: join(home, "lib64"), access: readFolderToo },
      { path: join(home, "bin/ffmpeg"), access: executeAndRead },
    ]);
  });

  it("handles as much as the kernel's version of Landlock knows, and no more", () => {
    // linux/landlock.h: 13 rights of files at first, REFER with 2, TRUNCATE 3, IOCTL_DEV 5; two of
    // the network with 4, two scopes with 6.
    expect([1, 2, 3, 5].map((version) => attributesOf(version).readBigUInt64LE())).toEqual([
      0x1fffn,
      0x3fffn,
      0x7fffn,
      0xffffn,
    ]);
    expect([3, 4, 6, 7].map((version) => attributesOf(version).length)).toEqual([8, 16, 24, 24]);
    expect(lockPlan(program, 0).landlock).toBe(undefined);
  });

  it("lets it write into its own folders only, and execute nothing there", () => {
    const { rules } = lockPlan(program, 7).landlock!;
    const [execute, write] = [1, 2];
    const writable = rules.filter(({ access }) => (access & write) !== 0).map(({ path }) => path);
    expect(writable.filter((path) => !path.startsWith("/dev/"))).toEqual(["/tmp/own"]);
    expect(rules.find(({ path }) => path === "/tmp/own")!.access & execute).toBe(0);
    expect(rules.find(({ path }) => path === "/opt/code")!.access).toBe(0b1101);
    expect(rules.some(({ path }) => path === "/" || path === "/etc")).toBe(false);
  });
});
