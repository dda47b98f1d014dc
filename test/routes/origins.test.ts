import { Hono } from "hono";
import { describe, expect, it } from "vitest";
import { createLog } from "../../src/log.js";
import { errorResponse } from "../../src/routes/error-response.js";
import { allowOrigins, guardLocalServer } from "../../src/routes/request-context.js";

const appWith = (options: {
  apiKeys?: string[];
  corsOrigins?: string[];
  trustedHosts?: string[];
}) => {
  const config = { apiKeys: [], corsOrigins: [], trustedHosts: [], ...options };
  const access = { needsKey: config.apiKeys.length > 0 };
  return new Hono()
    .use(allowOrigins(config, access))
    .use(guardLocalServer(config, access))
    .get("/x", (c) => c.json({ done: true }))
    .post("/x", (c) => c.json({ done: true }))
    .onError(errorResponse(createLog("silent")));
};
const page = "https://app.example";
const post = (headers: Record<string, string>) => ({
  method: "POST",
  headers: { "content-type": "application/json", host: "localhost:8080", ...headers },
});
const preflight = {
  method: "OPTIONS",
  headers: { origin: page, host: "localhost:8080", "access-control-request-method": "POST" },
};

describe("corsOrigins", () => {
  it("is off by default: no header, and other pages are refused", async () => {
    const response = await appWith({}).request("/x", post({ origin: page }));
    expect(response.status).toBe(403);
    expect(response.headers.get("access-control-allow-origin")).toBeNull();
  });

  it("lets pages of a listed origin call, and no others", async () => {
    const app = appWith({ corsOrigins: [page] });
    const response = await app.request("/x", post({ origin: page }));
    expect(response.status).toBe(200);
    expect(response.headers.get("access-control-allow-origin")).toBe(page);
    const other = await app.request("/x", post({ origin: "https://evil.example" }));
    expect(other.status).toBe(403);
    expect(other.headers.get("access-control-allow-origin")).toBeNull();
  });

  it("answers the preflight, which carries no key", async () => {
    const app = appWith({ corsOrigins: [page], apiKeys: ["a-secret-key"] });
    const response = await app.request("/x", preflight);
    expect(response.status).toBe(204);
    expect(response.headers.get("access-control-allow-origin")).toBe(page);
  });

  it("is * with keys only", () => {
    expect(() => appWith({ corsOrigins: ["*"] })).toThrow("Expected API keys");
    expect(() => appWith({ corsOrigins: ["*"], apiKeys: ["a-secret-key"] })).not.toThrow();
  });
});

describe("another page", () => {
  const get = (mode: string, site: string, options = {}) => {
    const headers = { host: "localhost:8080", "sec-fetch-site": site, "sec-fetch-mode": mode };
    return appWith(options).request("/x", { headers });
  };

  it("includes nothing of this server, but may link to it", async () => {
    expect((await get("no-cors", "cross-site")).status).toBe(403);
    expect((await get("navigate", "cross-site")).status).toBe(200);
    expect((await get("no-cors", "same-origin")).status).toBe(200);
    expect((await get("navigate", "none")).status).toBe(200);
  });

  it("includes pictures where origins are listed: it does not say which page it is", async () => {
    expect((await get("no-cors", "cross-site", { corsOrigins: [page] })).status).toBe(200);
  });
});

describe("trustedHosts", () => {
  it("lets programs call by a listed name, and no page", async () => {
    const app = appWith({ trustedHosts: ["crossmodal"] });
    const call = (headers: Record<string, string>) => app.request("/x", post(headers));
    expect((await call({ host: "crossmodal:3003" })).status).toBe(200);
    expect((await call({ host: "other:3003" })).status).toBe(403);
    expect((await call({ host: "crossmodal:3003", origin: page })).status).toBe(403);
  });
});
