import { createHash } from "node:crypto";
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, inject, it } from "vitest";
import type { App } from "../../src/app.js";
import { checkDataFolder } from "../../src/index/embedded/check-data-folder.js";
import { restoreBackup } from "../../src/index/embedded/restore-backup.js";
import type { Services } from "../../src/services.js";
import type { ItemStatuses } from "../../src/wire/items.js";
import { formPost, jsonPost, startApp } from "../helpers/services.js";

const cat = readFileSync("fixtures/images/cat.jpg");
const dog = readFileSync("fixtures/audio/dog.mp3");
const sha256 = createHash("sha256").update(cat).digest("hex");
const image = { modality: "image", embedding: [0.6, 0.8] };

let app: App;
let services: Services;
const isOnPostgres = Boolean(inject("postgres"));
const dataDirs: string[] = [];
beforeEach(() => start());
afterEach(() => services.close());

async function start(overrides: Parameters<typeof startApp>[0] = {}) {
  ({ app, services } = await startApp({ models: [], ...overrides }));
  dataDirs.push(services.config.dataDir);
}
async function restart(overrides: Parameters<typeof startApp>[0] = {}) {
  const { dataDir, store } = services.config;
  await services.close();
  await start({ dataDir, store, ...overrides });
}
async function create(name = "c", keep_media = true) {
  const body = { name, space: "plain", dimensions: 2, keep_media };
  const response = await app.request("/v1/collections", jsonPost(body));
  expect(await response.json()).toMatchObject({ keep_media });
}
const at = (id: string, path = "") => `/v1/collections/c/items/${encodeURIComponent(id)}${path}`;
const json = async (response: Response | Promise<Response>) =>
  (await (await response).json()) as Record<string, never>;
const add = (...items: object[]) =>
  json(app.request("/v1/collections/c/items", jsonPost({ items }))) as Promise<unknown> as Promise<
    Pick<ItemStatuses, "stored"> & { statuses: { error?: { message: string } }[] }
  >;
const addCat = (id = "cat") => add({ id, ...image, media: cat.toString("base64") });
const media = (id = "cat", headers: Record<string, string> = {}, method = "GET") =>
  app.request(at(id, "/media"), { headers, method });
const kept = () => {
  const folder = join(services.config.dataDir, "media");
  if (!existsSync(folder)) return [];
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" });
  return names.filter((name) => name.length > 2);
};
/** Of files that servers share only old ones are removed. */
function letAge(): void {
  const old = Date.now() / 1000 - 7200;
  for (const name of kept()) utimesSync(join(services.config.dataDir, "media", name), old, old);
}
const bytesOf = async (response: Response) => Buffer.from(await response.arrayBuffer());

describe("GET /v1/collections/{name}/items/{id}/media", () => {
  it("is the file that came, with its type, and can run nothing", async () => {
    await create();
    await add(
      { id: "a/b.jpg", ...image, media: cat.toString("base64"), source: "/photos/Katze ä.jpg" },
      { id: "dog", modality: "audio", embedding: [1, 0], media: dog.toString("base64") },
    );
    const response = await media("a/b.jpg");
    expect(response.status).toBe(200);
    const {
      "server-timing": _,
      "x-request-id": __,
      ...headers
    } = Object.fromEntries(response.headers);
    expect(headers).toEqual({
      "content-type": "image/jpeg",
      "content-length": String(cat.length),
      "content-disposition": `inline; filename="Katze _.jpg"; filename*=UTF-8''Katze%20%C3%A4.jpg`,
      etag: `"${sha256}"`,
      "accept-ranges": "bytes",
      "cache-control": "private, no-cache",
      "content-security-policy": "sandbox; default-src 'none'",
      "x-content-type-options": "nosniff",
      "referrer-policy": "no-referrer",
      "cross-origin-resource-policy": "same-origin",
      "x-accel-buffering": "no",
    });
    expect((await bytesOf(response)).equals(cat)).toBe(true);
    const sound = await media("dog");
    expect(sound.headers.get("content-type")).toBe("audio/mpeg");
    expect((await bytesOf(sound)).equals(dog)).toBe(true);
  });

  it("gives parts of it, and nothing to whom has it", async () => {
    await create();
    await addCat();
    const part = await media("cat", { range: "bytes=10-19" });
    expect(part.status).toBe(206);
    expect(part.headers.get("content-range")).toBe(`bytes 10-19/${cat.length}`);
    expect(part.headers.get("content-length")).toBe("10");
    expect((await bytesOf(part)).equals(cat.subarray(10, 20))).toBe(true);
    const changed = await media("cat", { range: "bytes=10-19", "if-range": '"other"' });
    expect(changed.status).toBe(200);
    expect(changed.headers.get("content-range")).toBeNull();
    expect(await bytesOf(changed)).toHaveLength(cat.length);
    const beyond = await media("cat", { range: `bytes=${cat.length}-` });
    expect(beyond.status).toBe(416);
    expect(beyond.headers.get("content-range")).toBe(`bytes */${cat.length}`);
    expect(await beyond.json()).toMatchObject({ error: { code: "range_not_satisfiable" } });
    const same = await media("cat", { "if-none-match": `"${sha256}"` });
    expect([same.status, (await bytesOf(same)).length]).toEqual([304, 0]);
    const head = await media("cat", {}, "HEAD");
    expect([head.status, head.headers.get("content-length")]).toEqual([200, String(cat.length)]);
    expect(await bytesOf(head)).toHaveLength(0);
  });

  it("is linked from items and results, and missing where nothing was kept", async () => {
    await create();
    await addCat();
    await add({ id: "bare", ...image });
    const url = at("cat", "/media");
    const get = (path: string) => json(app.request(path));
    expect(await get(at("cat"))).toMatchObject({ media_url: url });
    expect(await get(at("bare"))).not.toHaveProperty("media_url");
    const urls = (items: { media_url?: string }[]) => items.map((one) => one.media_url);
    const { data } = await get("/v1/collections/c/items");
    expect(urls(data)).toEqual([url, undefined]);
    const query = { embedding: [0.6, 0.8] };
    const found = await app.request("/v1/collections/c/search", jsonPost(query));
    const { results } = await json(found);
    expect(urls(results).sort()).toEqual([url, undefined]);
    expect(JSON.stringify(results)).not.toContain(sha256);
    for (const id of ["bare", "nothing"]) {
      const missing = await media(id);
      expect(missing.status).toBe(404);
      expect(await missing.json()).toMatchObject({ error: { code: "not_found", param: "id" } });
    }
  });

  it("answers 500 storage_corrupt for a damaged file, which adding it again mends", async () => {
    await create();
    await addCat();
    const path = join(services.config.dataDir, "media", sha256.slice(0, 2), sha256);
    writeFileSync(path, Buffer.alloc(cat.length));
    const damaged = await media();
    expect(damaged.status).toBe(500);
    expect(await damaged.json()).toMatchObject({ error: { code: "storage_corrupt" } });
    if (!isOnPostgres) {
      await services.close();
      const findings = await checkDataFolder(services.config.dataDir);
      expect(findings.filter(({ ok }) => !ok)).toEqual([
        { check: "kept media", ok: false, found: expect.stringMatching(/"cat" again/) },
      ]);
      await start({ dataDir: services.config.dataDir });
    }
    await addCat();
    expect((await bytesOf(await media())).equals(cat)).toBe(true);
  });
});

describe("a collection that keeps media", () => {
  it("has each file once, until its last item goes", async () => {
    await create();
    await add(...["a", "b"].map((id) => ({ id, ...image, media: cat.toString("base64") })));
    expect(kept()).toEqual([join(sha256.slice(0, 2), sha256)]);
    await restart();
    await app.request(at("a"), { method: "DELETE" });
    expect((await bytesOf(await media("b"))).equals(cat)).toBe(true);
    letAge();
    await add({ id: "b", ...image }); // replaced by one without
    expect(kept()).toEqual([]);
    await addCat();
    letAge();
    await app.request("/v1/collections/c", { method: "DELETE" });
    expect(kept()).toEqual([]);
  });

  if (isOnPostgres)
    it("says that files are missing on a server without the folder", async () => {
      await create();
      await addCat();
      await restart({ dataDir: mkdtempSync(join(tmpdir(), "crossmodal-other-")) });
      await json(app.request("/v1/collections")); // opens the store
      const missing_media = expect.stringMatching(/^1 of 1 kept files .* one folder/);
      const ready = () => json(app.request("/health/ready"));
      await expect.poll(ready).toMatchObject({ status: "ready", missing_media });
      const metrics = await (await app.request("/metrics")).text();
      expect(metrics).toContain("\ncrossmodal_missing_media 1\n");
    });

  it("can begin and end to do so later", async () => {
    await create("c", false);
    const status = (answer: { statuses: object[] }) => answer.statuses[0];
    expect(status(await addCat())).toMatchObject({
      status: "stored",
      warnings: [expect.stringContaining("keeps no media")],
    });
    expect(kept()).toEqual([]);
    const change = (body: object) =>
      app.request("/v1/collections/c", { ...jsonPost(body), method: "PATCH" });
    expect(await (await change({ keep_media: true })).json()).toMatchObject({ keep_media: true });
    expect(status(await addCat())).not.toHaveProperty("warnings");
    expect(kept()).toHaveLength(1);
    await change({ keep_media: false });
    expect((await media()).status).toBe(200); // what is kept stays
    expect((await change({})).status).toBe(400);
    expect((await change({ keep_media: null })).status).toBe(400);
  });

  it("takes media as a file of a form, of the embedding's modality alone", async () => {
    await create();
    const form = { id: "cat", modality: "image", embedding: "[0.6, 0.8]" };
    const post = (fields: Parameters<typeof formPost>[0]) =>
      app.request("/v1/collections/c/items", formPost(fields));
    expect((await post({ ...form, media: cat })).status).toBe(201);
    const wrong: [Parameters<typeof formPost>[0], RegExp][] = [
      [{ ...form, media: dog }, /received audio/],
      [{ ...form, media: new TextEncoder().encode("<svg/>") }, /unknown format/],
      [{ ...form, modality: "text", media: cat }, /belongs to the embedding/],
      [{ text: "a cat", media: cat }, /belongs to the embedding/],
    ];
    for (const [fields, message] of wrong) {
      const refused = await post(fields);
      expect(refused.status).toBe(400);
      expect((await json(refused)).error).toMatchObject({
        param: "media",
        message: expect.stringMatching(message),
      });
    }
    expect(kept()).toHaveLength(1);
  });

  it("fails the item alone that exceeds maxKeptMediaBytes", async () => {
    await restart({ maxKeptMediaBytes: cat.length });
    await create();
    const answer = await add(
      { id: "cat", ...image, media: cat.toString("base64") },
      { id: "dog", modality: "audio", embedding: [1, 0], media: dog.toString("base64") },
      { id: "bare", ...image },
    );
    const failed = expect.objectContaining({ status: "failed" });
    const stored = expect.objectContaining({ status: "stored" });
    // Which of the two comes first is not said.
    expect(answer.stored).toBe(2);
    expect(answer.statuses).toEqual(expect.arrayContaining([failed, stored, stored]));
    const message = expect.stringContaining("maxKeptMediaBytes");
    const { error } = answer.statuses.find((one) => one.error) ?? {};
    expect(error).toMatchObject({ code: "storage_full", param: "keep_media", message });
    expect(kept().length).toBeLessThan(2);
  });

  // Backups are of data folders
  if (!isOnPostgres)
    it("comes back whole from a backup, and from an export with media", async () => {
      await create();
      await addCat();
      const folder = mkdtempSync(join(tmpdir(), "crossmodal-media-"));
      const backup = await app.request("/v1/backup");
      const bytes = await bytesOf(backup);
      expect(backup.headers.get("content-length")).toBe(String(bytes.length));
      writeFileSync(join(folder, "backup"), bytes);
      const lines = await (await app.request("/v1/collections/c/export?media=true")).text();
      expect(await (await app.request("/v1/collections/c/export")).text()).not.toContain('"media"');
      await add({
        id: "late",
        modality: "audio",
        embedding: [1, 0],
        media: dog.toString("base64"),
      });
      const { dataDir } = services.config;
      await services.close();
      const { media: restored } = await restoreBackup(join(folder, "backup"), dataDir, {
        replace: true,
      });
      expect(restored).toEqual({ count: 1, damaged: [] });
      await start({ dataDir });
      expect((await bytesOf(await media())).equals(cat)).toBe(true);
      expect(kept()).toHaveLength(1); // what came after the backup went with its item

      await restart({ dataDir: mkdtempSync(join(tmpdir(), "crossmodal-imported-")) });
      await create();
      const type = { "content-type": "application/x-ndjson" };
      const imported = await app.request("/v1/collections/c/items", {
        method: "POST",
        headers: type,
        body: lines,
      });
      expect(await imported.text()).toContain('"stored"');
      expect((await bytesOf(await media())).equals(cat)).toBe(true);
    });

  it("opens its media by a signed address where keys are needed", async () => {
    await create();
    await addCat();
    await restart({ apiKeys: ["a-long-secret"] });
    const item = await app.request(at("cat"), { headers: { "x-api-key": "a-long-secret" } });
    const url: string = (await json(item)).media_url;
    expect((await media()).status).toBe(401);
    expect((await bytesOf(await app.request(url))).equals(cat)).toBe(true);
    expect((await app.request(url.replace("/cat/", "/dog/"))).status).toBe(401);
    expect((await app.request(url, { method: "DELETE" })).status).toBe(401);
    expect((await media("cat", { "x-api-key": "a-long-secret" })).status).toBe(200);
  });
});
