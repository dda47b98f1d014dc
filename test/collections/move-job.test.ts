import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { App } from "../../src/app.js";
import type { Services } from "../../src/services.js";
import { runJob } from "../helpers/jobs.js";
import { jsonPost, startApp } from "../helpers/services.js";

const folder = mkdtempSync(join(tmpdir(), "crossmodal-move-"));
const inside = join(folder, "inside");
let app: App;
let services: Services;
let pictures: Server;
let url: string;
/** Holds back the answers of the picture server. */
let gate = Promise.resolve();

// biome-ignore lint/suspicious/noExplicitAny: answers of many routes
const ask = async (path: string, init?: RequestInit): Promise<any> =>
  (await app.request(path, init)).json();
const post = (path: string, body: unknown) => ask(path, jsonPost(body));
const idsOf = async (collection: string) =>
  (await ask(`/v1/collections/${collection}/items`)).data
    .map(({ id }: { id: string }) => id)
    .sort();
const own = (id: string, more: object) => ({
  id,
  modality: "image",
  embedding: [1, 0],
  metadata: { of: id },
  ...more,
});

beforeAll(async () => {
  mkdirSync(inside);
  for (const name of ["cat.jpg", "coins.tiff"])
    copyFileSync(`fixtures/images/${name}`, join(inside, name));
  copyFileSync("fixtures/images/horse.png", join(folder, "outside.png"));
  symlinkSync("../outside.png", join(inside, "link.png"));
  writeFileSync(join(inside, "note.txt"), "no picture");
  pictures = createServer(async (_, response) => {
    await gate;
    response.end(readFileSync("fixtures/images/horse.png"));
  });
  await new Promise<void>((resolve) => pictures.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(pictures.address() as AddressInfo).port}/horse.png`;
  const options = { models: ["starter-clip"], sourceFolders: [inside], urlHosts: ["127.0.0.1"] };
  ({ app, services } = await startApp(options));
});
afterAll(async () => {
  pictures.closeAllConnections();
  pictures.close();
  await services.close();
});

async function makeCollection(name: string, items: object[]): Promise<void> {
  await post("/v1/collections", { name, space: "own@1", dimensions: 2, fields: ["of"] });
  const { failed } = await post(`/v1/collections/${name}/items`, { items });
  expect(failed).toBe(0);
}

describe("POST /v1/collections/{name}/move", () => {
  it("embeds again from texts, files of allowed folders and URLs, and names the others", async () => {
    await makeCollection("mixed", [
      own("file", { source: join(inside, "cat.jpg") }),
      own("text", { modality: "text", text: "a cat" }),
      own("url", { source: url }),
      own("outside", { source: join(folder, "outside.png") }),
      own("link", { source: join(inside, "link.png") }),
      own("relative", { source: "inside/cat.jpg" }),
      own("changed", { source: join(inside, "coins.tiff"), content_hash: "0".repeat(64) }),
      own("note", { source: join(inside, "note.txt") }),
      own("elsewhere", { source: "http://example.com/a.jpg" }),
      own("none", {}),
      own("wordless", { modality: "text" }),
    ]);
    await app.request("/v1/aliases/current", {
      ...jsonPost({ collection: "mixed" }),
      method: "PUT",
    });
    const job = await runJob(app, "/v1/collections/current/move", {
      model: "starter-clip",
      into: "moved",
    });
    expect(job.error).toBeUndefined();
    const { missing, ...result } = job.result;
    expect(result).toMatchObject({
      collection: "mixed",
      into: "moved",
      model: "starter-clip",
      items: 3,
      alias: { name: "current", moved: false },
    });
    expect(missing.items).toBe(8);
    const reasons = Object.fromEntries(
      missing.first.map(({ id, reason }: { id: string; reason: string }) => [id, reason]),
    );
    const notAllowed = expect.stringContaining("in the folders of sourceFolders");
    expect(reasons).toEqual({
      outside: notAllowed,
      link: notAllowed,
      relative: notAllowed,
      changed: expect.stringContaining("has changed"),
      note: expect.stringContaining("neither a picture nor a sound"),
      elsewhere: expect.stringContaining("option urlHosts"),
      none: expect.stringContaining("has no source"),
      wordless: expect.stringContaining("text was not kept"),
    });
    expect(await idsOf("moved")).toEqual(["file", "text", "url"]);
    expect(await ask("/v1/collections/moved")).toMatchObject({
      fields: ["of"],
      model: "starter-clip",
    });

    const image = readFileSync("fixtures/images/cat.jpg").toString("base64");
    const direct = await post("/v1/embeddings", { input: image, modality: "image" });
    const moved = await ask("/v1/collections/moved/items/file?include=embedding");
    expect(moved).toMatchObject({ metadata: { of: "file" }, source: join(inside, "cat.jpg") });
    expect(moved.embedding).toEqual(direct.data[0].embedding);
  });

  it("moves the alias when nothing is missing, or when that is allowed", async () => {
    await makeCollection("small", [own("a", { modality: "text", text: "a" }), own("b", {})]);
    const body = { model: "starter-clip", into: "small-2", alias: "little", allow_missing: true };
    const { result } = await runJob(app, "/v1/collections/small/move", body);
    expect(result).toMatchObject({ missing: { items: 1 }, alias: { name: "little", moved: true } });
    expect((await ask("/v1/collections/little")).name).toBe("small-2");
  });

  it("embeds kept media again where nothing else is left of the files, and keeps them", async () => {
    await post("/v1/collections", { name: "kept", model: "starter-clip", keep_media: true });
    const cat = readFileSync("fixtures/images/cat.jpg");
    await post("/v1/collections/kept/items", {
      id: "cat",
      image: cat.toString("base64"),
      metadata: { of: "cat" },
    });
    const job = await runJob(app, "/v1/collections/kept/move", {
      model: "starter-clip",
      into: "kept-2",
    });
    expect(job.result).toMatchObject({ items: 1, missing: { items: 0 } });
    expect(await ask("/v1/collections/kept-2")).toMatchObject({ keep_media: true });
    await app.request("/v1/collections/kept", { method: "DELETE" });
    const media = await app.request("/v1/collections/kept-2/items/cat/media");
    expect(cat.equals(Buffer.from(await media.arrayBuffer()))).toBe(true);
    const found = await post("/v1/collections/kept-2/search", { image: cat.toString("base64") });
    expect(found.results[0]).toMatchObject({ id: "cat", metadata: { of: "cat" } });
    expect(found.results[0].similarity).toBeGreaterThan(0.999);
  });

  it("carries over what is written meanwhile, and goes on after it was cancelled", async () => {
    const texts = [..."abc"].map((id) => own(id, { modality: "text", text: id }));
    await makeCollection("busy", [...texts, own("url", { source: url })]);
    let open = () => {};
    const close = () => {
      gate = new Promise((resolve) => {
        open = resolve;
      });
    };
    close();
    const body = { model: "starter-clip", into: "busy-2" };
    const { job } = await post("/v1/collections/busy/move", body);
    const started = async () => (await ask("/v1/collections/busy-2")).name;
    await expect.poll(started).toBe("busy-2");
    await app.request(`/v1/jobs/${job.id}`, { method: "DELETE" });
    await expect.poll(async () => (await ask(`/v1/jobs/${job.id}`)).state).toBe("cancelled");
    open();
    await post("/v1/collections/busy/items/delete", { ids: ["a"] });
    close();
    await post(`/v1/jobs/${job.id}/resume`, {});
    await expect.poll(async () => (await ask(`/v1/jobs/${job.id}`)).state).toBe("running");
    await post("/v1/collections/busy/items/delete", { ids: ["b"] });
    await post("/v1/collections/busy/items", {
      items: [own("d", { modality: "text", text: "d" })],
    });
    const patch = { filter: { field: "of", op: "eq", value: "c" }, metadata: { seen: true } };
    await app.request("/v1/collections/busy/items", { ...jsonPost(patch), method: "PATCH" });
    open();
    await (await app.request(`/v1/jobs/${job.id}/events`)).text();
    const ended = await ask(`/v1/jobs/${job.id}`);
    expect(ended).toMatchObject({
      state: "succeeded",
      result: { items: 3, missing: { items: 0 } },
    });
    expect(await idsOf("busy-2")).toEqual(["c", "d", "url"]);
    expect((await ask("/v1/collections/busy-2/items/c")).metadata).toEqual({ of: "c", seen: true });
  });

  it("goes on with the model that it began with, also when that is unloaded", async () => {
    await post("/v1/models", { model: "starter-clap" }); // a bridge leads from it to starter-clip
    const direct = await post("/v1/embeddings", { input: "sentence 69", model: "starter-clip" });
    const texts = Array.from({ length: 70 }, (_, i) =>
      own(`text ${i}`, { modality: "text", text: `sentence ${i}` }),
    );
    await makeCollection("long", [own("url", { source: url }), ...texts]);
    let open = () => {};
    gate = new Promise((resolve) => {
      open = resolve;
    });
    const body = { model: "starter-clip", into: "long-2" };
    const { job } = await post("/v1/collections/long/move", body);
    await expect.poll(async () => (await ask("/v1/collections/long-2")).name).toBe("long-2");
    await app.request("/v1/models/starter-clip", { method: "DELETE" });
    open();
    await (await app.request(`/v1/jobs/${job.id}/events`)).text();
    expect(await ask(`/v1/jobs/${job.id}`)).toMatchObject({
      state: "succeeded",
      result: { items: 71, missing: { items: 0 } },
    });
    const { embedding } = await ask("/v1/collections/long-2/items/text 69?include=embedding");
    expect(embedding).toEqual(direct.data[0].embedding);
    await app.request("/v1/models/starter-clap", { method: "DELETE" });
  });

  it("says which model it needs where that is not loaded, and goes on once it is", async () => {
    await makeCollection("waiting", [own("a", { modality: "text", text: "a" })]);
    await post("/v1/models", { model: "starter-clip" });
    let open = () => {};
    gate = new Promise((resolve) => {
      open = resolve;
    });
    await makeCollection("before", [own("url", { source: url })]);
    const first = await post("/v1/collections/before/move", { model: "starter-clip", into: "b-2" });
    const body = { model: "starter-clip", into: "waiting-2" };
    const { job } = await post("/v1/collections/waiting/move", body); // behind the first
    await expect.poll(async () => (await ask("/v1/collections/b-2")).name).toBe("b-2"); // it runs
    await app.request("/v1/models/starter-clip", { method: "DELETE" });
    open();
    const ended = async () => {
      await (await app.request(`/v1/jobs/${job.id}/events`)).text();
      return ask(`/v1/jobs/${job.id}`);
    };
    expect(await ended()).toMatchObject({
      state: "failed",
      error: { code: "model_not_found", message: expect.stringContaining("starter-clip") },
    });
    expect((await ask(`/v1/jobs/${first.job.id}`)).state).toBe("succeeded");
    await post("/v1/models", { model: "starter-clip" });
    await post(`/v1/jobs/${job.id}/resume`, {});
    expect(await ended()).toMatchObject({ state: "succeeded", result: { items: 1 } });
  });

  it.each([
    [{ model: "starter-clip", into: "small" }, "already_exists", "into"],
    [{ model: "starter-clip", into: "little" }, "already_exists", "into"],
    [{ model: "none", into: "x" }, "model_not_found", "model"],
    [{ model: "starter-clip", into: "x", alias: "mixed" }, "invalid_input", "alias"],
    [{ model: "starter-clip" }, "invalid_input", "into"],
  ])("refuses %j", async (body, code, param) => {
    const answer = await post("/v1/collections/small/move", body);
    expect(answer.error).toMatchObject({ code, param });
  });
});
