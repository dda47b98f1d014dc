import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createKey, keyFolder, revokeKey } from "../src/access/key-file.js";
import { loadConfig } from "../src/config.js";
import { createLog } from "../src/log.js";
import { type RunningServer, startServer } from "../src/server.js";

const folder = mkdtempSync(join(tmpdir(), "crossmodal-reload-"));
const file = join(folder, "options.json");
const write = (changes: object = {}) => {
  const own = { dataDir: join(folder, "data"), port: 0, device: "cpu", models: ["starter-clip"] };
  writeFileSync(file, JSON.stringify({ ...own, apiKeys: ["first-secret"], ...changes }));
};
const read = () => loadConfig({ environment: {}, file });

let server: RunningServer;
beforeAll(async () => {
  write();
  server = await startServer(read(), createLog("silent"), read);
  await server.ready;
});
afterAll(() => server.close());

const ask = (path: string, key: string, body?: unknown) =>
  fetch(`${server.url}${path}`, {
    method: body === undefined ? "GET" : "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
const reload = async (key = "first-secret") => {
  const response = await ask("/v1/admin/reload", key, {});
  return { status: response.status, body: (await response.json()) as never };
};

describe("POST /v1/admin/reload", () => {
  it("takes over what it can and names what needs a restart", async () => {
    write({ maxLabels: 2, maxBatch: 4, aliases: { pictures: "starter-clip" } });
    expect(await reload()).toEqual({
      status: 200,
      body: {
        changed: ["aliases", "maxLabels"],
        needs_restart: ["maxBatch"],
        models: { loaded: [], unloaded: [] },
      },
    });
    const labels = { text: "a cat", candidate_labels: ["a", "b", "c"], model: "pictures" };
    const tooMany = await ask("/v1/zero-shot", "first-secret", labels);
    expect([tooMany.status, await tooMany.text()]).toEqual([400, expect.stringContaining("2")]);
    write();
    expect((await reload()).status).toBe(200);
  });

  it("changes nothing when the configuration is wrong, or a model cannot be had", async () => {
    write({ maxLabels: 2, models: ["starter-clip", "no-such-model"] });
    expect(await reload()).toMatchObject({ status: 404, body: { error: { param: "model" } } });
    write({ maxLabels: -1 });
    expect((await reload()).status).toBe(400);
    const labels = { text: "a cat", candidate_labels: ["a", "b", "c"] };
    expect((await ask("/v1/zero-shot", "first-secret", labels)).status).toBe(200);
    write();
  });
});

describe("a server under load", () => {
  it("drops no request while keys, configuration and models change", async () => {
    const dataDir = join(folder, "data");
    const working = await createKey(keyFolder(dataDir), { name: "working", scope: "read" });
    const leaving = await createKey(keyFolder(dataDir), { name: "leaving", scope: "read" });
    let isOver = false;
    const statuses: Record<string, Set<number>> = { working: new Set(), leaving: new Set() };
    const failures: unknown[] = [];
    let answered = 0;
    const client = async (name: string, key: string, number: number) => {
      for (let i = 0; !isOver; i++) {
        const input = `sentence ${number} ${i}`;
        try {
          const response = await ask("/v1/embeddings", key, { model: "starter-clip", input });
          await response.json();
          statuses[name].add(response.status);
          answered++;
        } catch (error) {
          failures.push(error); // a connection that was cut
        }
      }
    };
    const clients = [1, 2, 3].map((n) => client("working", working, n));
    clients.push(client("leaving", leaving, 4));
    const more = async () => {
      const before = answered;
      await expect.poll(() => answered, { timeout: 30_000 }).toBeGreaterThan(before + 20);
    };
    try {
      await more();
      expect([...statuses.leaving]).toEqual([200]);
      await revokeKey(keyFolder(dataDir), leaving.split("_")[1]);
      await expect.poll(() => [...statuses.leaving], { timeout: 30_000 }).toEqual([200, 401]);
      for (const apiKeys of [["second-secret"], ["first-secret"]]) {
        const [before] = read().apiKeys;
        write({ apiKeys, requestsPerMinute: 1_000_000, models: ["starter-clip", "starter-clap"] });
        expect(await reload(before)).toMatchObject({ status: 200 });
        expect((await reload(before)).status).toBe(401);
        await more();
      }
      const swap = { model: "starter-clip", reload: true };
      expect((await ask("/v1/models", "first-secret", swap)).status).toBe(201);
      await more();
    } finally {
      isOver = true;
    }
    await Promise.all(clients);
    expect(failures).toEqual([]);
    expect([...statuses.working]).toEqual([200]);
  });
});
