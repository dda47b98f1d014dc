import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { Access } from "../../src/access/access.js";
import {
  createKey,
  keyFilePath,
  keyFolder,
  readKeys,
  revokeKey,
} from "../../src/access/key-file.js";

let dataDir: string;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), "crossmodal-access-"));
});
const opened = (apiKeys: string[] = []) => new Access({ apiKeys }, keyFolder(dataDir));

describe("keys of the data folder", () => {
  it("are needed from the first one on, and not before", async () => {
    const access = opened();
    expect(access.needsKey).toBe(false);
    await createKey(keyFolder(dataDir), { name: "ada", scope: "read" });
    expect(access.needsKey).toBe(true);
  });

  it("open from the next request on, and not after they were revoked", async () => {
    const access = opened();
    const key = await createKey(keyFolder(dataDir), {
      name: "ada",
      scope: "write",
      requestsPerMinute: 9,
    });
    const [, id] = key.split("_");
    expect(await access.callerWith(key)).toEqual({
      id,
      name: "ada",
      scope: "write",
      requestsPerMinute: 9,
    });
    await revokeKey(keyFolder(dataDir), id);
    expect(await access.callerWith(key)).toBeUndefined();
    expect(access.needsKey).toBe(true);
  });

  it("are asked of the configuration in use, where another has replaced theirs", async () => {
    const before = opened(["first-secret"]);
    expect(await before.admits("first-secret")).toBe(true);
    before.replaceBy(opened(["second-secret"]));
    expect(await before.admits("first-secret")).toBe(false);
    expect(await before.admits("second-secret")).toBe(true);
    const open = opened();
    before.replaceBy(open);
    expect(await before.admits("anything")).toBe(true); // none is needed any more
  });

  it("end at their time", async () => {
    const expiresAt = new Date(Date.now() + 3_600_000);
    const key = await createKey(keyFolder(dataDir), { name: "guest", scope: "read", expiresAt });
    const access = opened();
    expect(await access.callerWith(key)).toMatchObject({ name: "guest" });
    expect(await access.callerWith(key, expiresAt)).toBeUndefined();
  });

  it("are kept as hashes, for their owner's eyes", async () => {
    const key = await createKey(keyFolder(dataDir), { name: "ada", scope: "read" });
    const [, id, ...secret] = key.split("_");
    const text = readFileSync(keyFilePath(keyFolder(dataDir)), "utf8");
    expect(text).toContain(id);
    expect(text).not.toContain(secret.join("_"));
    expect(statSync(keyFilePath(keyFolder(dataDir))).mode & 0o777).toBe(0o600);
  });

  it("are both kept when two are made at once", async () => {
    const names = ["a", "b", "c", "d"];
    await Promise.all(names.map((name) => createKey(keyFolder(dataDir), { name, scope: "read" })));
    expect((await readKeys(keyFolder(dataDir))).map(({ name }) => name).sort()).toEqual(names);
  });

  it.each([
    ["another secret", (key: string) => `${key.slice(0, -1)}${key.endsWith("A") ? "B" : "A"}`],
    [
      "another id",
      (key: string) => key.replace(/^cm_./, (start) => (start === "cm_a" ? "cm_b" : "cm_a")),
    ],
    ["its id alone", (key: string) => key.slice(0, 11)],
    ["nothing", () => ""],
    ["its hash", (_: string) => "0".repeat(64)],
  ])("do not open with %s", async (_, change) => {
    const key = await createKey(keyFolder(dataDir), { name: "ada", scope: "read" });
    expect(await opened().callerWith(change(key))).toBeUndefined();
  });

  it("let nobody in once their file is damaged, and say which file it is", async () => {
    const key = await createKey(keyFolder(dataDir), { name: "ada", scope: "admin" });
    const access = opened();
    expect(await access.callerWith(key)).toBeDefined();
    const path = keyFilePath(keyFolder(dataDir));
    writeFileSync(path, readFileSync(path, "utf8").replace('"admin"', '"write"'));
    const damaged = { code: "storage_corrupt", message: expect.stringContaining("keys.json") };
    await expect(access.callerWith(key)).rejects.toMatchObject(damaged);
    await expect(opened().refresh()).rejects.toMatchObject(damaged);
    expect(access.needsKey).toBe(true);
  });

  it("let nobody in once their file is gone, also after a restart", async () => {
    const key = await createKey(keyFolder(dataDir), { name: "ada", scope: "admin" });
    const running = opened();
    await running.refresh();
    rmSync(keyFilePath(keyFolder(dataDir)));
    const gone = { code: "storage_corrupt", message: expect.stringContaining("put it back") };
    for (const access of [running, opened()]) {
      expect(access.needsKey).toBe(true);
      await expect(access.refresh()).rejects.toMatchObject(gone);
      await expect(access.callerWith(key)).rejects.toMatchObject(gone);
    }
    await expect(
      createKey(keyFolder(dataDir), { name: "eve", scope: "admin" }),
    ).rejects.toMatchObject(gone);
    rmSync(`${keyFilePath(keyFolder(dataDir))}.lock`);
    expect(opened().needsKey).toBe(false);
    await createKey(keyFolder(dataDir), { name: "ada", scope: "admin" });
  });

  it("cannot be revoked when there is none of that id", async () => {
    await expect(revokeKey(keyFolder(dataDir), "aaaaaaaa")).rejects.toMatchObject({
      code: "not_found",
    });
    expect(opened().needsKey).toBe(false); // as before: it would lock everybody out
  });
});

describe("keys of the configuration", () => {
  it("may do everything, beside those of the folder", async () => {
    const access = opened(["a-configured-key"]);
    expect(access.needsKey).toBe(true);
    expect(await access.callerWith("a-configured-key")).toMatchObject({ scope: "admin" });
    expect(await access.callerWith("another-key")).toBeUndefined();
    const key = await createKey(keyFolder(dataDir), { name: "ada", scope: "read" });
    expect(await access.callerWith(key)).toMatchObject({ scope: "read" });
  });
});
