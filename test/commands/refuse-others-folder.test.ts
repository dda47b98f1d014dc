import { spawn } from "node:child_process";
import { chownSync, existsSync, mkdtempSync, readdirSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { runMain } from "../helpers/run-main.js";

let dataDir: string;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), "crossmodal-owner-"));
});

// Only root may give a folder away
describe.skipIf(process.getuid?.() !== 0)("root in a data folder of somebody else", () => {
  it.each([
    ["keys", "create", "ada"],
    ["keys", "list"],
    ["models", "list"],
    ["models", "add", "fixtures"],
    ["models", "pull", "clip-vit-base-patch32"],
    ["collections", "list"],
    ["search", "photos", "--text", "a cat"],
    ["restore", "some.backup"],
    ["doctor"],
    ["serve", "--port", "0"],
  ])("writes nothing and says how to go on: %s %s", async (...args) => {
    chownSync(dataDir, 12_345, 12_346);
    const { code, stderr } = await runMain(...args, "--data-dir", dataDir);
    expect(stderr).toContain(
      `crossmodal: The data folder "${dataDir}" belongs to user 12345, who could not read what ` +
        "root writes there; run this as that user: sudo -u '#12345' …, or --user 12345:12346",
    );
    expect(code).toBe(2);
    expect(readdirSync(dataDir)).toEqual([]);
  });

  it("may ask a server, and use folders of its own and new ones", async () => {
    chownSync(dataDir, 12_345, 12_346);
    const asked = await runMain(
      "jobs",
      "list",
      "--url",
      "http://127.0.0.1:9",
      "--data-dir",
      dataDir,
    );
    expect(asked.stderr).not.toContain("belongs to");
    const noFolder = join(process.execPath, "below");
    const { stderr } = await runMain("keys", "list", "--data-dir", noFolder);
    expect(stderr).not.toContain("ENOTDIR");
    const own = join(mkdtempSync(join(tmpdir(), "crossmodal-owner-")), "new");
    const made = await runMain("keys", "create", "ada", "--data-dir", own);
    expect(made.code).toBe(0);
    expect(made.stderr).toContain(`stored, in ${join(own, "keys.json")}, and`);
    expect(existsSync(join(own, "keys.json"))).toBe(true);
  });

  // As on a read-only mount
  it.skipIf(process.platform !== "linux")("may look where not even root can write", async () => {
    const args = ["-e", "setTimeout(() => {}, 60_000)"];
    const other = spawn(process.execPath, args, { uid: 12_345, cwd: "/", stdio: "ignore" });
    try {
      const folder = `/proc/${other.pid}`;
      await expect.poll(() => statSync(folder).uid).toBe(12_345);
      const listed = await runMain("keys", "list", "--data-dir", folder);
      expect(listed.stderr).not.toContain("belongs to");
      expect(listed.code).toBe(0);
    } finally {
      other.kill("SIGKILL");
    }
  });
});
