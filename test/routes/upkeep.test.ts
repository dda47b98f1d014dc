import { existsSync, mkdtempSync, readdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { App } from "../../src/app.js";
import { openEmbeddedStore } from "../../src/index/embedded/open-embedded-store.js";
import { restoreBackup } from "../../src/index/embedded/restore-backup.js";
import type { Services } from "../../src/services.js";
import { jsonPost, startApp } from "../helpers/services.js";

let app: App;
let services: Services;
beforeAll(async () => {
  ({ app, services } = await startApp());
  await services.store.createCollection({ name: "c", space: "plain", dimensions: 2 });
  const items = Array.from({ length: 500 }, (_, i) => ({
    id: `${i}`,
    embedding: [0.6, 0.8],
    modality: "text",
  }));
  await app.request("/v1/collections/c/items", jsonPost({ items }));
});
afterAll(() => services.close());

const leftovers = () => {
  const folder = join(services.config.dataDir, "tmp");
  return existsSync(folder) ? readdirSync(folder) : [];
};

describe("GET /v1/backup", () => {
  it("is a database that a new data folder can be restored from, and leaves nothing behind", async () => {
    const response = await app.request("/v1/backup");
    const bytes = new Uint8Array(await response.arrayBuffer());
    expect(response.headers.get("content-length")).toBe(String(bytes.length));
    expect(leftovers()).toEqual([]);
    const folder = mkdtempSync(join(tmpdir(), "crossmodal-restored-"));
    writeFileSync(join(folder, "backup"), bytes);
    await restoreBackup(join(folder, "backup"), join(folder, "data"));
    const store = await openEmbeddedStore({ dataDir: join(folder, "data") });
    expect((await store.stats("c")).count).toBe(500);
    await store.close();
  });

  it("leaves nothing behind when the reader goes away", async () => {
    const response = await app.request("/v1/backup");
    await response.body?.cancel();
    expect(leftovers()).toEqual([]);
  });
});

describe("POST /v1/compact", () => {
  it("keeps what was not deleted", async () => {
    await services.store.delete("c", { ids: ["0", "1"] });
    expect(await (await app.request("/v1/compact", { method: "POST" })).json()).toEqual({
      compacted: true,
    });
    expect((await services.store.stats("c")).count).toBe(498);
  });
});
