import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pino from "pino";
import { beforeEach, describe, expect, it } from "vitest";
import { Access } from "../../src/access/access.js";
import { Audit } from "../../src/access/audit.js";
import { createKey, keyFolder, revokeKey } from "../../src/access/key-file.js";

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "crossmodal-audit-"));
  file = join(folder, "logs", "audit.log");
});

const parsed = (text: string) =>
  text
    .trim()
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));
const linesOf = (path: string) => parsed(readFileSync(path, "utf8"));

function auditTo(path: string, level: pino.Level | "silent" = "info") {
  let text = "";
  const log = pino({ level }, { write: (line) => (text += line) });
  const audit = new Audit(log);
  audit.use(path);
  return { audit, logged: () => parsed(text) };
}
const request = { method: "DELETE", path: "/v1/collections/a", status: 200, address: "192.0.2.1" };

describe("the audit file", () => {
  it("has a line once it is recorded, and its folder is made", async () => {
    const { audit, logged } = auditTo(file);
    expect(await audit.record(request)).toBeUndefined();
    expect(linesOf(file)).toEqual([expect.objectContaining(request)]);
    expect(logged()).toEqual([]);
    await audit.close();
  });

  it("gets what waited on a full disk when there is room; the log has it at once", async () => {
    const { audit, logged } = auditTo("/dev/full");
    for (const path of ["/a", "/b"])
      expect(await audit.record({ ...request, path })).toBe(
        "the audit file cannot be written: ENOSPC",
      );
    expect(audit.waiting).toBe(2);
    expect(logged().map(({ level, msg, path }) => [level, msg, path])).toEqual([
      [50, expect.stringMatching(/^the audit file cannot be written/), undefined],
      [30, "audit", "/a"],
      [30, "audit", "/b"],
    ]);
    audit.use(file);
    await expect.poll(() => audit.trouble, { timeout: 10_000 }).toBeUndefined();
    expect(linesOf(file).map(({ path }) => path)).toEqual(["/a", "/b"]);
    expect(logged().at(-1)).toMatchObject({ msg: "the audit file is written again" });
    await audit.close();
  });

  it("says where lines are missing, once more waited than is kept in memory", async () => {
    const { audit } = auditTo("/dev/full");
    const name = "n".repeat(10_000);
    for (let i = 0; i < 500; i++) void audit.record({ ...request, name });
    audit.use(file);
    await expect.poll(() => audit.waiting, { timeout: 10_000 }).toBe(0);
    await expect.poll(() => linesOf(file).at(-1).lost, { timeout: 10_000 }).toBeGreaterThan(50);
    expect(linesOf(file).length - 1 + linesOf(file).at(-1).lost).toBe(500);
    await audit.close();
  });

  it("leaves to the log what it does not keep, also before there is trouble", async () => {
    const { audit, logged } = auditTo("/dev/full");
    const name = "n".repeat(10_000);
    for (let i = 0; i < 500; i++) void audit.record({ ...request, name });
    const answer = audit.record({ ...request, name, path: "/last" });
    expect(logged().at(-1)).toMatchObject({ audit: true, path: "/last" });
    expect(await answer).toBe("the audit file takes its lines too slowly");
    await audit.close();
  });

  it("has paths as far as there is anything of so long a name", async () => {
    const { audit } = auditTo(file);
    await audit.recordRequest({ ...request, path: `/${"p".repeat(100_000)}` });
    expect(linesOf(file)[0].path).toMatch(/^\/p{5999}…$/);
    await audit.close();
  });

  it("is opened anew by a reload, after it was rotated", async () => {
    const { audit } = auditTo(file);
    await audit.record({ ...request, path: "/before" });
    renameSync(file, `${file}.1`);
    await audit.record({ ...request, path: "/between" });
    audit.use(file);
    await audit.record({ ...request, path: "/after" });
    expect(linesOf(`${file}.1`).map(({ path }) => path)).toEqual(["/before", "/between"]);
    expect(linesOf(file).map(({ path }) => path)).toEqual(["/after"]);
    await audit.close();
  });

  it("is made again where it was deleted", async () => {
    const { audit } = auditTo(file);
    await audit.record({ ...request, path: "/before" });
    rmSync(join(folder, "logs"), { recursive: true });
    await audit.record({ ...request, path: "/after" });
    expect(linesOf(file).map(({ path }) => path)).toEqual(["/after"]);
    await audit.close();
  });

  it.each([
    ["a folder", () => folder, "EISDIR"],
    ["a path below a file", () => join(folder, "file", "audit.log"), "ENOTDIR|EEXIST"],
    ["a pipe that nobody reads", () => join(folder, "pipe"), "ENXIO"],
    ["a folder that cannot be made", () => "/proc/none/audit.log", "ENOENT"],
  ])("is refused where it is %s", (_, place, why) => {
    writeFileSync(join(folder, "file"), "");
    execFileSync("mkfifo", [join(folder, "pipe")]);
    const message = new RegExp(`^auditFile "${place()}" cannot be used: .*(${why})`);
    expect(() => Audit.check(place())).toThrow(
      expect.objectContaining({
        code: "invalid_input",
        param: "auditFile",
        message: expect.stringMatching(message),
      }),
    );
  });

  it("is nothing but ASCII and one line, whatever a name or a path has in it", async () => {
    const { audit } = auditTo(file);
    const name =
      'a"\n{"level":30,"msg":"audit"}\r\u001b[2J\u009b2J\u202e\u2028é\u061c\u200b\u200e\u200f\ufeff';
    await audit.record({ ...request, name });
    const text = readFileSync(file, "utf8");
    expect(text).toMatch(/^[\x20-\x7e]+\n$/);
    expect(JSON.parse(text).name).toBe(name);
    await audit.close();
  });
});

describe("without an audit file", () => {
  it.each(["info", "warn", "error"] as const)("the log has the lines at %s", async (level) => {
    const { audit, logged } = auditTo("", level);
    await audit.record(request);
    expect(logged()).toEqual([expect.objectContaining({ ...request, audit: true })]);
  });

  it("a silent log has none", async () => {
    const { audit, logged } = auditTo("", "silent");
    await audit.record(request);
    expect(logged()).toEqual([]);
  });
});

describe("refused attempts", () => {
  it("are limited, for strangers together and for each key, and the rest is counted", async () => {
    const { audit, logged } = auditTo("");
    const path = `/v1/${"x".repeat(10_000)}`;
    const stranger = { ...request, status: 401, path };
    for (let i = 0; i < 100; i++)
      await audit.recordRefusal({ ...stranger, address: `192.0.2.${i}` });
    expect(logged()).toHaveLength(10);
    expect(logged()[0]).toMatchObject({ msg: "refused", status: 401, audit: true });
    expect(logged()[0].path.length).toBeLessThan(300);
    await audit.recordRefusal({ ...request, status: 403, key: "abcd2345", name: "ada" });
    expect(logged()).toHaveLength(11);
    expect(logged().at(-1)).toMatchObject({ key: "abcd2345", leftOut: 90 });
  });
});

describe("keys that are changed beside the server", () => {
  it("are recorded before they are first used", async () => {
    const { audit, logged } = auditTo("");
    const files = keyFolder(folder);
    const access = new Access({ apiKeys: [] }, files, audit);
    await access.refresh();
    const key = await createKey(files, { name: "ada", scope: "write" });
    const [, id] = key.split("_");
    expect(await access.callerWith(key)).toMatchObject({ id });
    const of = { id, name: "ada", scope: "write" };
    expect(logged()).toMatchObject([{ msg: "key created", of, audit: true }]);
    await revokeKey(files, id);
    // Access is rebuilt by a reload.
    await new Access({ apiKeys: [] }, files, audit).refresh();
    expect(logged().slice(1)).toMatchObject([{ msg: "key revoked", of }]);
    expect(JSON.stringify(logged())).not.toContain(key.split("_")[2]);
    await access.callerWith(key);
    expect(logged()).toHaveLength(2);
  });
});
