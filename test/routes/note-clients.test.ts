import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createKey, keyFolder } from "../../src/access/key-file.js";
import { type App, createApp } from "../../src/app.js";
import type { Services } from "../../src/services.js";
import type { ClientList } from "../../src/wire/server.js";
import { checkAnswers } from "../helpers/check-answers.js";
import { fakeApp } from "../helpers/fake-app.js";
import { fakePack } from "../helpers/fake-packs.js";
import { jsonPost } from "../helpers/services.js";

let app: App;
let services: Services;
let admin: string;
let reader: string;
beforeAll(async () => {
  const fake = await fakeApp([fakePack("eye", 4)]);
  services = fake.services;
  const auditFile = join(mkdtempSync(join(tmpdir(), "crossmodal-audit-")), "audit.log");
  const config = { ...services.config, trustedProxies: ["127.0.0.1"], auditFile };
  const files = keyFolder(config.dataDir);
  admin = await createKey(files, { name: "ada", scope: "admin" });
  reader = await createKey(files, { name: "photos", scope: "read" });
  services.audit.use(auditFile);
  services = { ...services, config, keys: files };
  app = checkAnswers(createApp(services));
});
afterAll(() => services.close());

const env = { incoming: { socket: { remoteAddress: "127.0.0.1" } } };

const bearer = (key: string) => ({ authorization: `Bearer ${key}` });

async function ask(path: string, headers: Record<string, string>, init: RequestInit = {}) {
  const sent = { ...(init.headers as Record<string, string>), ...headers };
  return (await app.request(path, { ...init, headers: sent }, env)).status;
}

async function listed(): Promise<ClientList["data"]> {
  const headers = { ...bearer(admin), "user-agent": "lister" };
  const response = await app.request("/v1/admin/clients", { headers }, env);
  const { data } = (await response.json()) as ClientList;
  return data.filter(({ program }) => program !== "lister");
}

describe("GET /v1/admin/clients", () => {
  it("tells who asked, by which program, in whose API, from where", async () => {
    const from = { ...bearer(reader), "x-forwarded-for": "192.0.2.7" };
    const input = jsonPost({ input: ["a"] });
    await ask("/v1/embeddings", { ...from, "user-agent": "OpenAI/Python 1.54.3" }, input);
    await ask("/ping", { ...from, "user-agent": "immich-server/1.120" });
    await ask("/v1/collections", {
      ...from,
      "user-agent": "Firefox/132",
      "sec-fetch-site": "same-origin",
    });
    await ask("/v1/collections?token=secret", { ...from, "user-agent": "Firefox/132" });
    await ask("/v1/nothing", from);
    const clients = await listed();
    expect(clients.map(({ program, apis, errors }) => [program, apis, errors])).toEqual([
      [null, ["native"], 1],
      ["Firefox 132", ["page", "native"], 1],
      ["immich-server 1.120", ["immich"], 0],
      ["OpenAI for Python 1.54.3", ["openai"], 0],
    ]);
    for (const { key, address } of clients) {
      expect(address).toBe("192.0.2.7");
      expect(key?.name).toBe("photos");
    }
    expect(JSON.stringify(clients)).not.toMatch(/secret|cm_|token/);
  });

  it("counts those that are refused by their address, and no probe", async () => {
    const from = { "x-forwarded-for": "192.0.2.8", "user-agent": "scanner/1" };
    expect(await ask("/v1/collections", { ...from, ...bearer("wrong") })).toBe(401);
    expect(await ask("/health/live", from)).toBe(200);
    expect((await listed())[0]).toMatchObject({
      key: null,
      address: "192.0.2.8",
      requests: 1,
      errors: 1,
    });
  });

  it("counts a call of MCP once, not the requests of its tools", async () => {
    const call = jsonPost({
      jsonrpc: "2.0",
      id: 1,
      method: "tools/call",
      params: { name: "list", arguments: {} },
    });
    const headers = { accept: "application/json, text/event-stream", "user-agent": "agent/1" };
    await ask("/mcp", { ...bearer(reader), ...headers }, call);
    const before = (await listed())[0];
    expect(before).toMatchObject({ program: "agent 1", apis: ["mcp"], requests: 1 });
  });

  it("needs an admin's key, and is not in the audit log", async () => {
    expect(await ask("/v1/admin/clients", bearer(reader))).toBe(403);
    await ask("/v1/admin/clients", bearer(admin));
    await ask("/v1/backup", bearer(admin), { method: "HEAD" });
    const audit = readFileSync(services.config.auditFile, "utf8");
    expect(audit).toContain("/v1/backup");
    expect(audit).not.toContain("/v1/admin/clients");
  });
});
