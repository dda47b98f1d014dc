import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { App } from "../../src/app.js";
import { seededRandom } from "../../src/math/random.js";
import { normalize } from "../../src/math/vector.js";
import type { Services } from "../../src/services.js";
import type { CollectionFields } from "../../src/wire/collection-fields.js";
import type { MapAnswer, MapValues } from "../../src/wire/maps.js";
import { runJob } from "../helpers/jobs.js";
import { jsonPost, startApp } from "../helpers/services.js";

let app: App;
let services: Services;
beforeAll(async () => {
  ({ app, services } = await startApp({ models: [] }));
  await services.store.createCollection({ name: "c", space: "plain", dimensions: 3 });
  await services.store.createCollection({ name: "empty", space: "plain", dimensions: 3 });
  // Pictures around (1, 0, 0), texts around (0, 1, 0): the first axis leads from one to the other.
  const items = Array.from({ length: 40 }, (_, i) => ({
    id: `item ${i}`,
    modality: i % 2 === 0 ? "image" : "text",
    embedding: Array.from(
      normalize(Float32Array.from(i % 2 === 0 ? [1, 0, 0.01 * i] : [0, 1, -0.01 * i])),
    ),
    metadata: { year: 2000 + (i % 4), even: i % 2 === 0 },
  }));
  await app.request("/v1/collections/c/items", jsonPost({ items }));
});
afterAll(() => services.close());

const json = async <T>(path: string): Promise<T> =>
  (await (await app.request(`/v1/collections/${path}`)).json()) as T;

describe("GET /v1/collections/{name}/map", () => {
  it("has a point for each item, with its modality, and ids in the same order", async () => {
    const { map, ...answer } = await json<MapAnswer>("c/map");
    expect(answer).toMatchObject({ count: 40, total: 40 });
    const response = await app.request(`/v1/collections/c/map/points?map=${map}`);
    const bytes = await response.arrayBuffer();
    expect(bytes.byteLength).toBe(40 * 9);
    const points = new Float32Array(bytes, 0, 80);
    const kinds = new Uint8Array(bytes, 320);
    const side = (i: number) => Math.sign(points[2 * i]);
    for (let i = 0; i < 40; i++) {
      expect(kinds[i]).toBe(i % 2 === 0 ? 1 : 0);
      expect(side(i)).toBe(side(i % 2));
    }
    expect(side(0)).toBe(-side(1));
    expect(answer.explained?.[0]).toBeGreaterThan(0.9);
    const [text, image] = answer.centroids;
    expect([text.modality, text.count, image.modality]).toEqual(["text", 20, "image"]);
    const xOf = (kind: number) => points.filter((_, k) => k % 2 === 0 && kinds[k / 2] === kind);
    expect(image.x).toBeCloseTo(xOf(1).reduce((sum, x) => sum + x, 0) / 20, 5);
    const { ids } = await json<{ ids: string[] }>(`c/map/ids?map=${map}&offset=3&limit=2`);
    expect(ids).toEqual(["item 3", "item 4"]);
    expect((await json<MapAnswer>("c/map")).map).toBe(map);
    await app.request("/v1/collections/c/items/item%200", { method: "DELETE" });
    const after = await json<MapAnswer>("c/map");
    expect([after.map === map, after.count]).toEqual([false, 39]);
  });

  it("can be read as long as it is given, however many others were made since", async () => {
    const { map } = await json<MapAnswer>("c/map");
    for (const name of ["m1", "m2", "m3", "m4", "m5"]) {
      await services.store.createCollection({ name, space: "plain", dimensions: 3 });
      await json(`${name}/map`);
      expect((await json<MapAnswer>("c/map")).map).toBe(map);
      expect((await app.request(`/v1/collections/c/map/points?map=${map}`)).status).toBe(200);
    }
  });

  it("is empty for no items, and forgotten maps are not found", async () => {
    const { map, count } = await json<MapAnswer>("empty/map");
    expect(count).toBe(0);
    const points = await app.request(`/v1/collections/empty/map/points?map=${map}`);
    expect((await points.arrayBuffer()).byteLength).toBe(0);
    for (const path of ["empty/map/points?map=other", "empty/map/ids?map=other", "nowhere/map"])
      expect((await app.request(`/v1/collections/${path}`)).status).toBe(404);
  });
});

describe("GET /v1/collections/{name}/map/values", () => {
  const valuesOf = async (query: string) => {
    const { map } = await json<MapAnswer>("labelled/map");
    return json<MapValues>(`labelled/map/values?map=${map}&${query}`);
  };

  beforeAll(async () => {
    await services.store.createCollection({ name: "labelled", space: "plain", dimensions: 3 });
    const items = Array.from({ length: 30 }, (_, i) => ({
      id: `item ${i}`,
      modality: "text",
      embedding: Array.from(normalize(Float32Array.from([1, 0.01 * i, 0]))),
      metadata: {
        size: 10 * i,
        ...(i !== 3 && { shot: { by: ["ann", "ann", "bo", "cy"][i % 4] } }),
        ...(i < 2 && { tags: [["rare", "sea"], ["sea"]][i] }),
        mixed: i === 0 ? "none" : i,
      },
    }));
    await app.request("/v1/collections/labelled/items", jsonPost({ items }));
  });

  it("has the number of each point, and null where there is none", async () => {
    const answer = await valuesOf("field=size");
    expect(answer).toEqual({
      field: "size",
      kind: "numbers",
      points: Array.from({ length: 30 }, (_, i) => 10 * i),
    });
    await services.store.patch("labelled", [{ id: "item 4", metadata: { size: null } }]);
    expect((await valuesOf("field=size")).points.slice(3, 6)).toEqual([30, null, 50]);
  });

  it("has the place of each point's value among the most frequent ones", async () => {
    const { points, ...answer } = await valuesOf("field=shot.by&values=2");
    expect(answer).toEqual({
      field: "shot.by",
      kind: "categories",
      values: [
        { value: "ann", count: 16 },
        { value: "bo", count: 7 },
      ],
      distinct: 3,
    });
    expect(points.slice(0, 8)).toEqual([0, 0, 1, null, 0, 0, 1, 2]);
  });

  it("takes of a list the first value that is listed, and texts beside numbers as they are", async () => {
    const tags = await valuesOf("field=tags&values=1");
    expect(tags.points.slice(0, 3)).toEqual([0, 0, null]);
    expect(tags).toMatchObject({ values: [{ value: "sea", count: 2 }], distinct: 2 });
    const mixed = await valuesOf("field=mixed");
    expect(mixed).toMatchObject({ kind: "categories", distinct: 30 });
    expect((await valuesOf("field=nothing")).points).toEqual(Array(30).fill(null));
  });
});

describe("POST /v1/collections/{name}/map", () => {
  const clouds = 3;
  const path = "/v1/collections/clouds/map";
  const pointsOf = async () => {
    const { map, ...answer } = await json<MapAnswer>("clouds/map?method=umap");
    const bytes = await (await app.request(`${path}/points?map=${map}`)).arrayBuffer();
    return { ...answer, points: [...new Float32Array(bytes, 0, 2 * answer.count)] };
  };

  beforeAll(async () => {
    await services.store.createCollection({ name: "clouds", space: "plain", dimensions: 8 });
    const random = seededRandom(1);
    const items = Array.from({ length: 60 }, (_, i) => ({
      id: `item ${i}`,
      modality: "text",
      embedding: Array.from(
        normalize(
          Float32Array.from({ length: 8 }, (_, d) => +(d === i % clouds) + 0.2 * random.normal()),
        ),
      ),
    }));
    await app.request("/v1/collections/clouds/items", jsonPost({ items }));
  });

  it("lays out by UMAP: a cloud stays together, and a seed gives the same map", async () => {
    expect((await app.request(`${path}?method=umap`)).status).toBe(404);
    const body = { method: "umap", neighbors: 8 };
    const job = await runJob(app, path, body);
    expect(job).toMatchObject({ state: "succeeded", result: { items: 60, seed: 1 } });
    expect(job.events.map(({ detail }) => detail?.stage)).toContain("laying out");
    const shares = job.events.map(({ progress }) => progress);
    expect(shares).toEqual([...shares].sort((a, b) => a - b));
    const first = await pointsOf();
    expect(first).toMatchObject({ method: "umap", stale: false, explained: null, count: 60 });
    const at = (i: number) => first.points.slice(2 * i, 2 * i + 2);
    for (let i = 0; i < 60; i++) {
      const distances = Array.from({ length: 60 }, (_, j) =>
        i === j ? Infinity : Math.hypot(at(i)[0] - at(j)[0], at(i)[1] - at(j)[1]),
      );
      expect(distances.indexOf(Math.min(...distances)) % clouds).toBe(i % clouds);
    }
    await runJob(app, path, body);
    expect((await pointsOf()).points).toEqual(first.points);
    await runJob(app, path, { ...body, seed: 2 });
    expect((await pointsOf()).points).not.toEqual(first.points);
  });

  it("says when items have changed since, also where their number has not", async () => {
    const embedding = [0, 0, 0, 0, 0, 0, 0, 1];
    const items = [{ id: "new", modality: "text", embedding }];
    await app.request("/v1/collections/clouds/items/item%200", { method: "DELETE" });
    await app.request("/v1/collections/clouds/items", jsonPost({ items }));
    services.maps.forget("clouds"); // as a minute later
    expect(await pointsOf()).toMatchObject({ stale: true, count: 59, total: 60 });
    await runJob(app, path, { method: "umap" });
    expect(await pointsOf()).toMatchObject({ stale: false, count: 60, total: 60 });
  });

  it("is cancelled in the middle, and leaves nothing behind", async () => {
    await services.store.createCollection({ name: "many", space: "plain", dimensions: 8 });
    const random = seededRandom(2);
    const items = Array.from({ length: 2000 }, (_, i) => ({
      id: `item ${i}`,
      modality: "text",
      embedding: Array.from(normalize(Float32Array.from({ length: 8 }, () => random.normal()))),
    }));
    await app.request("/v1/collections/many/items", jsonPost({ items }));
    const many = "/v1/collections/many/map";
    const started = await app.request(many, jsonPost({ method: "umap" }));
    const { job } = (await started.json()) as { job: { id: string } };
    const at = `/v1/jobs/${job.id}`;
    await expect
      .poll(async () => ((await (await app.request(at)).json()) as { detail?: object }).detail)
      .toMatchObject({ stage: expect.any(String) });
    await app.request(at, { method: "DELETE" });
    expect(await (await app.request(at)).json()).toMatchObject({ state: "cancelled" });
    expect((await app.request(`${many}?method=umap`)).status).toBe(404);
  });

  it("refuses too few items, what it does not know, and names without a model", async () => {
    const job = await runJob(app, "/v1/collections/empty/map", { method: "umap" });
    expect(job.error).toMatchObject({ code: "invalid_input", param: "collection" });
    for (const body of [{ method: "pca" }, { method: "umap", epochs: 3 }, {}])
      expect((await app.request(path, jsonPost(body))).status).toBe(400);
    expect((await app.request(`${path}?method=tsne`)).status).toBe(400);
    const { map } = await json<MapAnswer>("clouds/map");
    const names = await app.request(`${path}/names?map=${map}`);
    expect(await names.json()).toMatchObject({ error: { code: "space_mismatch" } });
  });
});

describe("GET /v1/collections/{name}/fields", () => {
  it("tells fields, values and counts of what a filter leaves", async () => {
    const all = await json<CollectionFields>("c/fields");
    expect(all).toMatchObject({ items: 39, complete: true });
    expect(all.fields.map(({ field }) => field)).toEqual(["even", "year"]);
    expect(all.fields[1]).toMatchObject({
      types: { number: 39 },
      min: 2000,
      max: 2003,
      distinct: 4,
    });
    const filter = encodeURIComponent('{"field":"year","op":"lte","value":2001}');
    const some = await json<CollectionFields>(`c/fields?modality=image&values=1&filter=${filter}`);
    expect(some.items).toBe(9);
    expect(some.fields[1].values).toEqual([{ value: 2000, count: 9 }]);
    expect((await app.request("/v1/collections/nowhere/fields")).status).toBe(404);
    expect((await app.request("/v1/collections/c/fields?filter={")).status).toBe(400);
  });
});
