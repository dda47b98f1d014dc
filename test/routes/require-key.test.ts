import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Hono } from "hono";
import { beforeEach, describe, expect, it } from "vitest";
import { Access } from "../../src/access/access.js";
import { Audit } from "../../src/access/audit.js";
import { createKey, keyFolder, revokeKey } from "../../src/access/key-file.js";
import { MediaAddresses } from "../../src/access/media-addresses.js";
import { RateLimit } from "../../src/access/rate-limit.js";
import { createLog } from "../../src/log.js";
import { auditChanges } from "../../src/routes/audit-changes.js";
import { errorResponse } from "../../src/routes/error-response.js";
import type { RequestVariables } from "../../src/routes/request-context.js";
import { limitPublic, requireKey, scopeOf } from "../../src/routes/require-key.js";

let dataDir: string;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), "crossmodal-keys-"));
});

const isInference = (path: string) => path === "/embed";

function appWith({
  apiKeys = [] as string[],
  requestsPerMinute = 0,
  auditFile = join(dataDir, "audit.log"),
} = {}) {
  const log = createLog("silent");
  const audit = new Audit(log);
  audit.use(auditFile);
  const access = new Access({ apiKeys }, keyFolder(dataDir));
  const config = { requestsPerMinute, trustedProxies: ["127.0.0.1"] };
  const limit = new RateLimit(() => 0);
  const gate = requireKey({
    access,
    addresses: new MediaAddresses(access),
    limit,
    config,
    audit,
    isInference,
  });
  return new Hono<RequestVariables>()
    .use(limitPublic({ limit, config }))
    .get("/assets/*", (c) => c.text("of the page"))
    .use(auditChanges(audit, isInference))
    .use(gate)
    .all("*", (c) => c.json({ done: true }))
    .onError(errorResponse(log));
}
const bearer = (key: string) => ({ authorization: `Bearer ${key}` });
const auditLines = () =>
  readFileSync(join(dataDir, "audit.log"), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));

describe("scopes", () => {
  it.each([
    ["GET", "/v1/collections", "read"],
    ["POST", "/v1/embeddings", "read"],
    ["POST", "/v1/zero-shot", "read"],
    ["POST", "/v1/modality-gap", "read"],
    ["POST", "/v1/collections/photos/search", "read"],
    ["POST", "/v1/collections/photos/items/hashes", "read"],
    ["POST", "/mcp", "read"],
    ["POST", "/embed", "read"],
    ["POST", "/v1/collections/photos/items", "write"],
    ["POST", "/v1/collections/search", "write"],
    ["POST", "/v1/collections/photos/search/more", "write"],
    ["POST", "/what/comes/next", "write"],
    ["DELETE", "/v1/collections/photos", "write"],
    ["PATCH", "/v1/collections/photos", "write"],
    ["PUT", "/v1/label-sets/birds", "write"],
    ["GET", "/v1/backup", "admin"],
    ["POST", "/v1/models", "admin"],
    ["DELETE", "/v1/models/starter-clip", "admin"],
    ["GET", "/v1/models", "read"],
  ])("%s %s needs %s", (method, path, scope) => {
    expect(scopeOf(method, path, (at) => at === "/embed")).toBe(scope);
  });

  it("are kept to: each key does what its scope and those before it allow", async () => {
    const app = appWith();
    const requests = [
      { path: "/v1/embeddings", method: "POST" },
      { path: "/v1/heads", method: "POST" },
      { path: "/v1/backup", method: "GET" },
    ];
    const expected = { read: [200, 403, 403], write: [200, 200, 403], admin: [200, 200, 200] };
    for (const scope of ["read", "write", "admin"] as const) {
      const headers = bearer(await createKey(keyFolder(dataDir), { name: scope, scope }));
      const statuses: number[] = [];
      for (const { path, method } of requests)
        statuses.push((await app.request(path, { method, headers })).status);
      expect(statuses).toEqual(expected[scope]);
    }
  });

  it("say what is missing", async () => {
    const headers = bearer(await createKey(keyFolder(dataDir), { name: "ada", scope: "read" }));
    const response = await appWith().request("/v1/heads", { method: "POST", headers });
    expect(await response.json()).toMatchObject({
      error: {
        code: "forbidden",
        message: 'This needs a key with the scope "write"; the key "ada" has "read"',
      },
    });
  });
});

describe("keys", () => {
  it("are asked for everywhere but at the probes and the description", async () => {
    const app = appWith({ apiKeys: ["a-configured-key"] });
    for (const path of ["/health/live", "/health/ready", "/openapi.json", "/docs"])
      expect((await app.request(path)).status, path).toBe(200);
    for (const path of ["/", "/v1/models", "/metrics", "/health", "/docs/x", "/healthy"])
      expect((await app.request(path)).status, path).toBe(401);
    expect((await app.request("/", { headers: bearer("a-configured-key") })).status).toBe(200);
    expect((await app.request("/", { headers: { "x-api-key": "a-configured-key" } })).status).toBe(
      200,
    );
  });

  it.each([
    ["Bearer", "Bearer KEY", 200],
    ["no scheme", "KEY", 200],
    ["another case", "bEARER KEY", 200],
    ["more spaces", "Bearer   KEY", 200],
    ["two in a list", "Bearer KEY, Bearer KEY", 401],
    ["its beginning", "Bearer KE", 401],
    ["one more sign", "Bearer KEYS", 401],
    ["signs beyond ASCII", "Bearer K\u00c9Y", 401],
    ["another scheme", "Basic KEY", 401],
    ["nothing", "Bearer ", 401],
    ["a long one", `Bearer ${"KEY".repeat(30_000)}`, 401],
  ])("are read from Authorization: %s", async (_, authorization, status) => {
    const headers = { authorization: authorization.replaceAll("KEY", "a-configured-key") };
    const app = appWith({ apiKeys: ["a-configured-key"] });
    expect((await app.request("/v1/models", { headers })).status).toBe(status);
  });

  it("may come as x-api-key beside another scheme, which is a proxy's", async () => {
    const app = appWith({ apiKeys: ["a-configured-key"] });
    const headers = { authorization: "Basic dTpw", "x-api-key": "a-configured-key" };
    expect((await app.request("/v1/models", { headers })).status).toBe(200);
    const wrong = { ...headers, authorization: "Bearer other-key" };
    expect((await app.request("/v1/models", { headers: wrong })).status).toBe(401);
  });

  it("stop with the next request after they are revoked", async () => {
    const app = appWith();
    const key = await createKey(keyFolder(dataDir), { name: "ada", scope: "read" });
    expect((await app.request("/v1/models", { headers: bearer(key) })).status).toBe(200);
    await revokeKey(keyFolder(dataDir), key.split("_")[1]);
    expect((await app.request("/v1/models", { headers: bearer(key) })).status).toBe(401);
  });
});

describe("limits", () => {
  it("hold for each key by itself, and its own limit comes before the server's", async () => {
    const app = appWith({ requestsPerMinute: 2 });
    const few = bearer(
      await createKey(keyFolder(dataDir), { name: "few", scope: "read", requestsPerMinute: 1 }),
    );
    const usual = bearer(await createKey(keyFolder(dataDir), { name: "usual", scope: "read" }));
    const statuses = async (headers: Record<string, string>) => {
      const found: number[] = [];
      for (let i = 0; i < 3; i++) found.push((await app.request("/v1/models", { headers })).status);
      return found;
    };
    expect(await statuses(few)).toEqual([200, 429, 429]);
    expect(await statuses(usual)).toEqual([200, 200, 429]);
  });

  it("hold for each address where there are no keys, and say when to come back", async () => {
    const app = appWith({ requestsPerMinute: 2 });
    const from = (address: string) =>
      app.request(
        "/v1/models",
        { headers: { "x-forwarded-for": address } },
        { incoming: { socket: { remoteAddress: "127.0.0.1" } } },
      );
    expect((await from("192.0.2.1")).status).toBe(200);
    expect((await from("192.0.2.1")).status).toBe(200);
    const refused = await from("192.0.2.1");
    expect(refused.status).toBe(429);
    expect(await refused.json()).toMatchObject({ error: { code: "rate_limited" } });
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThanOrEqual(1);
    expect((await from("192.0.2.2")).status).toBe(200);
  });

  it("hold for what needs no key, by address and apart, but not for probes", async () => {
    const app = appWith({ requestsPerMinute: 2, apiKeys: ["a-secret-key"] });
    const statuses = async (path: string, times: number) => {
      const found: number[] = [];
      for (let i = 0; i < times; i++) found.push((await app.request(path)).status);
      return found;
    };
    const paths = ["/openapi.json", "/docs", "/assets/index.js"];
    for (const path of paths) expect(await statuses(path, 200)).not.toContain(429);
    for (const path of paths) expect(await statuses(path, 2)).toEqual([429, 429]);
    expect(await statuses("/health/ready", 1000)).not.toContain(429);
    expect((await app.request("/v1/models", { headers: bearer("a-secret-key") })).status).toBe(200);
  });
});

describe("the audit", () => {
  it("tells who changed what, from where, and nothing of what is only read", async () => {
    const app = appWith();
    const key = await createKey(keyFolder(dataDir), { name: "ada", scope: "write" });
    const env = { incoming: { socket: { remoteAddress: "192.0.2.9" } } };
    await app.request("/v1/models", { headers: bearer(key) }, env);
    await app.request("/v1/collections/a", { method: "DELETE", headers: bearer(key) }, env);
    expect(auditLines()).toEqual([
      expect.objectContaining({
        method: "DELETE",
        path: "/v1/collections/a",
        status: 200,
        address: "192.0.2.9",
        key: key.split("_")[1],
        name: "ada",
      }),
    ]);
    expect(readFileSync(join(dataDir, "audit.log"), "utf8")).not.toContain(key);
  });

  it("fails no change on a full disk: the answer says that its line is missing", async () => {
    const app = appWith({ auditFile: "/dev/full" });
    for (const method of ["POST", "DELETE", "DELETE"]) {
      const response = await app.request("/v1/collections/a", { method });
      expect([response.status, await response.json()]).toEqual([200, { done: true }]);
      expect(JSON.parse(response.headers.get("x-crossmodal-warnings") ?? "")).toEqual([
        "the audit file cannot be written: ENOSPC; the line is in the server's log",
      ]);
    }
    const read = await app.request("/v1/collections/a");
    expect(read.headers.get("x-crossmodal-warnings")).toBeNull();
  });

  it("has refused changes, not refused reads, with the key if there is one", async () => {
    const app = appWith({ apiKeys: ["a-configured-key"] });
    const key = await createKey(keyFolder(dataDir), { name: "ada", scope: "read" });
    const post = (headers: Record<string, string>) =>
      app.request("/v1/heads", { method: "POST", headers });
    expect((await post(bearer("wrong"))).status).toBe(401);
    expect((await post(bearer(key))).status).toBe(403);
    expect((await app.request("/v1/heads")).status).toBe(401);
    const request = { msg: "refused", method: "POST", path: "/v1/heads" };
    expect(auditLines()).toEqual([
      expect.objectContaining({ ...request, status: 401 }),
      expect.objectContaining({ ...request, status: 403, key: key.split("_")[1], name: "ada" }),
    ]);
  });
});
