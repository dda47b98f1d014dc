import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { App } from "../../src/app.js";
import type { Services } from "../../src/services.js";
import { jsonPost, startApp } from "../helpers/services.js";

let app: App;
let services: Services;
beforeAll(async () => {
  ({ app, services } = await startApp());
});
afterAll(() => services.close());

const create = (body: object) => app.request("/v1/collections", jsonPost(body));

describe("/v1/collections", () => {
  it("creates a collection in a model's space, lists it, looks it up and deletes it", async () => {
    const created = await create({ name: "photos", model: "starter-clip", fields: ["year"] });
    expect(created.status).toBe(201);
    const collection = (await created.json()) as { created_at: string };
    const [{ space, dimensions }] = services.packs
      .list()
      .map((pack) => ({ space: pack.space, ...pack.manifest }));
    expect(collection).toMatchObject({
      name: "photos",
      model: "starter-clip",
      space,
      dimensions,
      fields: ["year"],
      count: 0,
      count_by_modality: {},
      index: { state: "none", indexed: 0 },
    });
    expect(Date.parse(collection.created_at)).toBeLessThanOrEqual(Date.now());
    expect(await (await app.request("/v1/collections/photos")).json()).toEqual(collection);
    expect(await (await app.request("/v1/collections")).json()).toEqual({ data: [collection] });
    const deleted = await app.request("/v1/collections/photos", { method: "DELETE" });
    expect(await deleted.json()).toEqual({ name: "photos", deleted: true });
    expect((await app.request("/v1/collections/photos")).status).toBe(404);
    expect((await app.request("/v1/collections/photos", { method: "DELETE" })).status).toBe(404);
  });

  it("uses the first loaded model by default, or a custom space with its dimensions", async () => {
    expect(await (await create({ name: "default" })).json()).toMatchObject({
      model: "starter-clip",
    });
    const own = await (await create({ name: "own", space: "mine@1", dimensions: 3 })).json();
    expect(own).toMatchObject({ model: null, space: "mine@1", dimensions: 3 });
  });

  it("refuses what contradicts itself, naming the field", async () => {
    await create({ name: "twice" });
    const faults: [object, number, string, string][] = [
      [{ name: "twice" }, 409, "already_exists", "name"],
      [{ name: "a/b" }, 400, "invalid_input", "name"],
      [{}, 400, "invalid_input", "name"],
      [{ name: "x", model: "nothing" }, 404, "model_not_found", "model"],
      [{ name: "x", dimensions: 3 }, 400, "invalid_input", "dimensions"],
      [{ name: "x", space: "mine" }, 400, "invalid_input", "dimensions"],
      [
        { name: "x", space: "mine", dimensions: 3, model: "starter-clip" },
        400,
        "invalid_input",
        "space",
      ],
      [{ name: "x", space: "mine", dimensions: 100_000 }, 400, "invalid_input", "dimensions"],
      [{ name: "x", fields: ["a'b"] }, 400, "invalid_input", "fields"],
      [{ name: "x", colour: "red" }, 400, "invalid_input", "colour"],
    ];
    for (const [body, status, code, param] of faults) {
      const response = await create(body);
      const { error } = (await response.json()) as { error: object };
      expect([response.status, error], JSON.stringify(body)).toMatchObject([
        status,
        { code, param },
      ]);
    }
    expect((await app.request("/v1/collections/x")).status).toBe(404);
  });
});

describe("GET /metrics", () => {
  it("declares fields later, and moves an alias from one collection to another", async () => {
    const send = async (method: string, path: string, body?: object) => {
      const init = body === undefined ? {} : jsonPost(body);
      const response = await app.request(path, { ...init, method });
      return { status: response.status, ...((await response.json()) as object) };
    };
    await create({ name: "blue", space: "mine@1", dimensions: 3 });
    await create({ name: "green", space: "mine@1", dimensions: 3 });
    expect(await send("PATCH", "/v1/collections/blue", { fields: ["year"] })).toMatchObject({
      status: 200,
      name: "blue",
      fields: ["year"],
    });
    for (const collection of ["blue", "green"]) {
      expect(await send("PUT", "/v1/aliases/live", { collection })).toEqual({
        status: 200,
        alias: "live",
        collection,
      });
      expect(await send("GET", "/v1/collections/live")).toMatchObject({ name: collection });
    }
    expect(await send("GET", "/v1/aliases")).toMatchObject({
      data: [{ alias: "live", collection: "green" }],
    });
    expect(await send("DELETE", "/v1/collections/green")).toMatchObject({ status: 409 });
    expect(await send("PUT", "/v1/aliases/a b", { collection: "blue" })).toMatchObject({
      error: { param: "alias" },
    });
    expect(await send("DELETE", "/v1/aliases/live")).toMatchObject({ status: 200, name: "live" });
    expect(await send("DELETE", "/v1/aliases/live")).toMatchObject({ status: 404 });
    expect(await send("DELETE", "/v1/collections/green")).toMatchObject({ status: 200 });
  });

  it("counts items by collection and modality, and forgets a deleted collection", async () => {
    await create({ name: "counted", space: "plain", dimensions: 2 });
    const item = { embedding: [0.6, 0.8], modality: "audio" };
    await app.request(
      "/v1/collections/counted/items",
      jsonPost({ items: [item, item, { ...item, modality: "text" }] }),
    );
    const metrics = async () => (await app.request("/metrics")).text();
    expect(await metrics()).toContain(
      'crossmodal_collection_items{collection="counted",modality="audio"} 2',
    );
    expect(await metrics()).toContain(
      'crossmodal_collection_items{collection="counted",modality="text"} 1',
    );
    await app.request("/v1/collections/counted", { method: "DELETE" });
    expect(await metrics()).not.toContain('"counted"');
  });
});
