import { readFileSync } from "node:fs";
import { crc32 } from "node:zlib";
import { afterEach, describe, expect, it } from "vitest";
import type { App } from "../../src/app.js";
import type { Services } from "../../src/services.js";
import type { MediaArchiveAnswer } from "../../src/wire/items.js";
import { jsonPost, startApp } from "../helpers/services.js";

const cat = readFileSync("fixtures/images/cat.jpg");
const dog = readFileSync("fixtures/audio/dog.mp3");
const key = "a-long-secret";
const path = "/v1/collections/c/media/archives";

let app: App;
let services: Services;
afterEach(() => services.close());

async function start(apiKeys: string[] = []) {
  ({ app, services } = await startApp({ models: [], apiKeys }));
  await send("/v1/collections", { name: "c", space: "plain", dimensions: 2, keep_media: true });
  const items = [
    { id: "pets/cat", modality: "image", embedding: [1, 0], media: cat.toString("base64") },
    { id: "pets/dog.mp3", modality: "audio", embedding: [0, 1], media: dog.toString("base64") },
    { id: "note", modality: "text", embedding: [0.6, 0.8] },
  ];
  await send("/v1/collections/c/items", { items });
}
async function send(to: string, body: object) {
  const { headers, ...post } = jsonPost(body);
  return app.request(to, { ...post, headers: { ...headers, authorization: `Bearer ${key}` } });
}
const archive = async (body: object) =>
  (await (await send(path, body)).json()) as MediaArchiveAnswer;

/** Names and contents by the central directory. Source: APPNOTE.TXT 6.3.10, 4.3.12 and 4.3.7. */
function filesIn(zip: Buffer): Record<string, Buffer> {
  const end = zip.lastIndexOf("PK\x05\x06");
  const count = zip.readUInt16LE(end + 10);
  let at = zip.readUInt32LE(end + 16);
  const files: Record<string, Buffer> = {};
  for (let i = 0; i < count; i++) {
    expect(zip.readUInt32LE(at)).toBe(0x02014b50);
    expect(zip.readUInt16LE(at + 10)).toBe(0); // stored
    const [crc, size] = [zip.readUInt32LE(at + 16), zip.readUInt32LE(at + 24)];
    const [name, extra, comment] = [28, 30, 32].map((offset) => zip.readUInt16LE(at + offset));
    const local = zip.readUInt32LE(at + 42);
    const start = local + 30 + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28);
    const contents = zip.subarray(start, start + size);
    expect(crc32(contents)).toBe(crc);
    files[zip.toString("utf8", at + 46, at + 46 + name)] = contents;
    at += 46 + name + extra + comment;
  }
  return files;
}

describe("POST /v1/collections/{name}/media/archives", () => {
  it("tells the size of a zip file with what is kept of some items, by ids or a filter", async () => {
    await start();
    const ids = ["pets/dog.mp3", "pets/cat", "note", "nothing", "pets/cat"];
    const { url, ...about } = await archive({ ids });
    const response = await app.request(url);
    const zip = Buffer.from(await response.arrayBuffer());
    expect(about).toEqual({ files: 2, bytes: zip.length, without_media: 1 });
    expect(response.headers.get("content-length")).toBe(String(zip.length));
    expect(response.headers.get("content-disposition")).toBe('attachment; filename="c.zip"');
    expect(filesIn(zip)).toEqual({ "pets/cat.jpg": cat, "pets/dog.mp3": dog });
    const filter = { item: "modality", op: "eq", value: "image" };
    const pictures = await archive({ filter });
    const some = Buffer.from(await (await app.request(pictures.url)).arrayBuffer());
    expect(Object.keys(filesIn(some))).toEqual(["pets/cat.jpg"]);
  });

  it("refuses what does not say which items, and archives of other collections", async () => {
    await start();
    for (const body of [{}, { ids: [], filter: { field: "a", op: "eq", value: 1 } }, { ids: null }])
      expect((await send(path, body)).status).toBe(400);
    const { url } = await archive({ ids: [] });
    expect((await app.request(url)).status).toBe(200);
    expect((await app.request(url.replace("/c/", "/d/"))).status).toBe(404);
    expect((await app.request(`${path}/other`)).status).toBe(404);
  });

  it("is cut, not ended, where a file has gone since", async () => {
    await start();
    const { url } = await archive({ ids: ["pets/cat", "pets/dog.mp3"] });
    await send("/v1/collections/c/items/delete", { ids: ["pets/dog.mp3"] });
    await expect((await app.request(url)).arrayBuffer()).rejects.toThrow();
  });

  it("needs a key, which its signed address does not", async () => {
    await start([key]);
    expect((await app.request(path, jsonPost({ ids: [] }))).status).toBe(401);
    const { url } = await archive({ ids: ["pets/cat"] });
    expect((await app.request(url)).status).toBe(200);
    expect((await app.request(url.split("?")[0])).status).toBe(401);
    expect((await app.request(url.replace("signature=", "signature=x"))).status).toBe(401);
  });
});
