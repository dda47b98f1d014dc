import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { App } from "../../src/app.js";
import { applyHead } from "../../src/encoders/head.js";
import { writeNpy } from "../../src/math/npy.js";
import { seededRandom } from "../../src/math/random.js";
import type { Services } from "../../src/services.js";
import { fixtureBase64, fixtureLabels } from "../helpers/fixtures.js";
import { runJob } from "../helpers/jobs.js";
import { jsonPost, startApp } from "../helpers/services.js";

// Models and training, on machines that do other things too
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

let app: App;
let services: Services;
let dimensions: number;
const pictures = Object.entries(fixtureLabels.images);

const get = async (path: string, init?: RequestInit) => {
  const response = await app.request(path, init);
  // biome-ignore lint/suspicious/noExplicitAny: answers of many routes
  return { status: response.status, body: (await response.json()) as any };
};
const post = (path: string, body: unknown = {}) => get(path, jsonPost(body));
const search = (query: object) => post("/v1/collections/shop/search", { top_k: 3, ...query });
const ended = async (id: string) => {
  await (await app.request(`/v1/jobs/${id}/events`)).text();
  return (await get(`/v1/jobs/${id}`)).body;
};

/** Trains a version on noise: what it learns does not matter here. @returns its number. */
async function version(seed: number, head: object | string = "linear"): Promise<number> {
  const random = seededRandom(seed);
  const rows = () =>
    new Blob([
      Uint8Array.from(
        writeNpy({
          shape: [24, dimensions],
          data: Float32Array.from({ length: 24 * dimensions }, () => random.normal()),
        }),
      ),
    ]);
  const form = new FormData();
  const fields = {
    model: "starter-clip",
    name: "shop",
    epochs: "1",
    learning_rate: "0.01",
    patience: "0",
  };
  for (const [field, value] of Object.entries(fields)) form.append(field, value);
  form.append("head", typeof head === "string" ? head : JSON.stringify(head));
  form.append("a", rows(), "a.npy");
  form.append("b", rows(), "b.npy");
  const job = await runJob(app, "/v1/heads", form);
  expect(job.error).toBeUndefined();
  return job.result.version;
}

beforeAll(async () => {
  ({ app, services } = await startApp());
  dimensions = services.packs.find("starter-clip").manifest.dimensions;
  await version(1);
  await version(2, { text: "locked" });
  await post("/v1/heads/shop/activate", { version: 1, force: true });
});
afterAll(() => services.close());

describe("a collection with a head", () => {
  it("is in the head's space and says which version it follows", async () => {
    const created = await post("/v1/collections", {
      name: "shop",
      model: "starter-clip",
      head: "shop",
    });
    const { space } = await services.heads.use("shop", 1);
    expect(created).toMatchObject({
      status: 201,
      body: { model: "starter-clip", head: { name: "shop", version: 1 }, space },
    });
  });

  it("keeps the model's embedding beside the head's, and is searched through the head", async () => {
    const items = pictures.map(([file, label]) => ({
      id: file,
      image: fixtureBase64(`images/${file}`),
      metadata: { label, pair: label },
    }));
    expect((await post("/v1/collections/shop/items", { items })).body).toMatchObject({ failed: 0 });
    const head = await services.heads.use("shop");
    const [stored] = await services.store.get("shop", [pictures[0][0]]);
    expect(stored.original?.space).toBe(services.packs.find("starter-clip").space);
    expect(stored.embedding).toEqual(applyHead(head.a!, [stored.original!.embedding])[0]);
    const found = await search({ image: fixtureBase64(`images/${pictures[0][0]}`) });
    expect(found.body).toMatchObject({
      path: ["starter-clip/image", "head/shop@1"],
      space: head.space,
    });
    expect(found.body.results[0]).toMatchObject({ id: pictures[0][0] });
    expect(found.body.results[0].similarity).toBeCloseTo(1, 4);
    const sound = await search({ audio: fixtureBase64("audio/rain.ogg") });
    expect(sound.body.path).toEqual([
      "starter-clap/audio",
      "bridge/starter-clap-to-starter-clip@1",
      "head/shop@1",
    ]);
  });

  it("takes the model's embeddings, and others only with their originals", async () => {
    const space = services.packs.find("starter-clip").space;
    const embedding = Array.from({ length: dimensions }, (_, i) => (i === 0 ? 1 : 0));
    const given = (more: object) => ({
      items: [{ id: "own", modality: "image", embedding, ...more }],
    });
    const refused = await post("/v1/collections/shop/items", given({}));
    expect(refused.body.statuses[0]).toMatchObject({
      status: "failed",
      error: { param: "original" },
    });
    expect((await post("/v1/collections/shop/items", given({ space }))).body).toMatchObject({
      stored: 1,
    });
    const [own] = await services.store.get("shop", ["own"]);
    const head = await services.heads.use("shop");
    expect(own.embedding).toEqual(applyHead(head.a!, [Float32Array.from(embedding)])[0]);
    const line = await (await app.request("/v1/collections/shop/export")).text();
    expect(JSON.parse(line.split("\n")[0])).toMatchObject({ original: { space } });
  });

  it("is projected again when another version is activated, with items added meanwhile", async () => {
    const activated = await post("/v1/heads/shop/activate", { version: 2, force: true });
    expect(activated.body).toMatchObject({ version: 2, jobs: [{ id: expect.any(String) }] });
    const added = await Promise.all(
      Array.from({ length: 8 }, (_, i) =>
        post("/v1/collections/shop/items", { items: [{ id: `text-${i}`, text: `a word ${i}` }] }),
      ),
    );
    for (const { body } of added) expect(body).toMatchObject({ stored: 1, failed: 0 });
    const job = await ended(activated.body.jobs[0].id);
    expect(job).toMatchObject({
      kind: "reproject",
      state: "succeeded",
      result: { collection: "shop", version: 2 },
    });
    const { space } = await services.heads.use("shop", 2);
    const { body } = await get("/v1/collections/shop");
    expect(body).toMatchObject({
      space,
      head: { name: "shop", version: 2 },
      count: pictures.length + 1 + 8,
    });
    // Texts are locked in version 2: they are as the model gave them.
    const [text] = await services.store.get("shop", ["text-0"]);
    expect(text.embedding).toEqual(text.original?.embedding);
    expect((await search({ text: "a cat" })).body).toMatchObject({
      path: ["starter-clip/text", "head/shop@2"],
      space,
    });
    expect((await get("/v1/collections")).body.data).toHaveLength(1);
  });

  it("is projected again once, also while a copy of it lies there", async () => {
    const { dimensions, options } = await services.store.stats("shop");
    const copy = {
      name: "reproject-x",
      space: "x",
      dimensions,
      options: { ...options, replaces: "shop" },
    };
    await services.store.createCollection(copy);
    const activated = await post("/v1/heads/shop/activate", { version: 1, force: true });
    expect(activated.body.jobs).toHaveLength(1);
    expect(await ended(activated.body.jobs[0].id)).toMatchObject({ state: "succeeded" });
    const back = await post("/v1/heads/shop/activate", { version: 2, force: true });
    expect(await ended(back.body.jobs[0].id)).toMatchObject({ state: "succeeded" });
  });

  it("follows the version that is activated while it is being made", async () => {
    const { heads } = services;
    const whileKept = heads.whileKept.bind(heads);
    heads.whileKept = async (followed, create) => {
      heads.whileKept = whileKept;
      expect(followed).toEqual({ name: "shop", version: 2 });
      const { body } = await post("/v1/heads/shop/activate", { version: 1, force: true });
      for (const { id } of body.jobs) await ended(id); // none of them is for this collection yet
      return whileKept(followed, create);
    };
    const made = await post("/v1/collections", {
      name: "late",
      model: "starter-clip",
      head: "shop",
    });
    expect(made.status).toBe(201);
    for (const { id } of services.jobs.list()) await ended(id);
    expect((await get("/v1/collections/late")).body.head).toEqual({ name: "shop", version: 1 });
    await get("/v1/collections/late", { method: "DELETE" });
    for (const { id } of (await post("/v1/heads/shop/activate", { version: 2, force: true })).body
      .jobs)
      await ended(id);
  });

  it("holds its head: neither it nor the version can be deleted", async () => {
    expect(await get("/v1/heads/shop?force=true", { method: "DELETE" })).toMatchObject({
      status: 409,
    });
    const rolledBack = await post("/v1/heads/shop/rollback");
    expect(rolledBack.body).toMatchObject({ version: 1, jobs: [{ id: expect.any(String) }] });
    await ended(rolledBack.body.jobs[0].id);
    expect((await get("/v1/collections/shop")).body.head.version).toBe(1);
    expect((await get("/v1/heads/shop/versions/2", { method: "DELETE" })).status).toBe(200);
  });

  it("cannot be made with a head of another model, or one that gives no embeddings", async () => {
    const other = await post("/v1/collections", { name: "x", model: "starter-clap", head: "shop" });
    expect(other).toMatchObject({ status: 400, body: { error: { param: "head" } } });
    const own = await post("/v1/collections", {
      name: "x",
      space: "mine",
      dimensions: 3,
      head: "shop",
    });
    expect(own).toMatchObject({ status: 400 });
    expect((await post("/v1/collections", { name: "x", head: "none" })).status).toBe(404);
  });
});

describe("POST /v1/heads from a collection", () => {
  it("pairs pictures with their label as a text, by the original embeddings", async () => {
    const pairs = { collection: "shop", by: "metadata.label" };
    const job = await runJob(app, "/v1/heads", {
      model: "starter-clip",
      name: "labelled",
      pairs,
      epochs: 1,
      screen: true,
    });
    expect(job.error).toBeUndefined();
    const { body } = await get("/v1/heads/labelled");
    expect(body.versions[0]).toMatchObject({
      modalities: ["image", "text"],
      pairs: pictures.length,
    });
    const report = await get("/v1/heads/labelled/versions/1/report");
    for (const { ids } of report.body.screening.findings) expect(ids.length).toBeGreaterThan(0);
  });

  it("pairs items of two modalities by a field", async () => {
    const texts = pictures.map(([, label]) => ({
      text: `this is ${label}`,
      metadata: { pair: label },
    }));
    expect((await post("/v1/collections/shop/items", { items: texts })).body.failed).toBe(0);
    const pairs = { collection: "shop", by: "pair" };
    const job = await runJob(app, "/v1/heads", {
      model: "starter-clip",
      name: "paired",
      pairs,
      epochs: 1,
    });
    expect(job.error).toBeUndefined();
    expect((await get("/v1/heads/paired")).body.versions[0].pairs).toBe(pictures.length);
  });

  it("makes a probe of labelled items", async () => {
    const items = { collection: "shop", by: "label" };
    const job = await runJob(app, "/v1/heads", { model: "starter-clip", kind: "probe", items });
    expect(job.error).toBeUndefined();
    const ask = { image: fixtureBase64(`images/${pictures[0][0]}`), head: "starter-clip-probe" };
    expect((await post("/v1/zero-shot", ask)).body.scores[0].label).toBe(pictures[0][1]);
  });

  it("fails when the model is another one; a field that is not there is told at once", async () => {
    const none = await post("/v1/heads", {
      model: "starter-clip",
      pairs: { collection: "shop", by: "none" },
    });
    expect(none).toMatchObject({
      status: 400,
      body: { error: { code: "invalid_input", param: "pairs.by" } },
    });
    const other = await runJob(app, "/v1/heads", {
      model: "starter-clap",
      pairs: { collection: "shop", by: "label" },
    });
    expect(other.error).toMatchObject({ code: "space_mismatch" });
  });
});

describe("POST /v1/modality-gap of a collection", () => {
  it("measures its two modalities, in pairs by a field", async () => {
    const { status, body } = await post("/v1/modality-gap", {
      collection: "shop",
      pair_by: "pair",
    });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      centroid_gap: expect.any(Number),
      recall: { a_to_b: expect.any(Object) },
    });
    const unpaired = await post("/v1/modality-gap", { collection: "shop" });
    expect(unpaired.body.recall).toBeFalsy();
    expect(unpaired.body.centroid_gap).toBeGreaterThan(0);
  });

  it("answers 404 for a collection that is not there", async () => {
    expect((await post("/v1/modality-gap", { collection: "none" })).status).toBe(404);
  });

  it.each([
    ["pair_by", { pair_by: "none" }],
    ["a_modality", { a_modality: "audio", b_modality: "text" }],
  ])("names %s when it is at fault", async (param, more) => {
    const answer = await post("/v1/modality-gap", { collection: "shop", ...more });
    expect(answer).toMatchObject({ status: 400, body: { error: { param } } });
  });
});
