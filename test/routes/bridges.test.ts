import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { App } from "../../src/app.js";
import type { Services } from "../../src/services.js";
import { bridgeTexts } from "../../src/training/bridge-texts.js";
import { fixtureBase64, fixtureLabels } from "../helpers/fixtures.js";
import { runJob } from "../helpers/jobs.js";
import { jsonPost, startApp } from "../helpers/services.js";

// Models and training, on machines that do other things too
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const name = "starter-clap-to-starter-clip";
/** Every 60th of the product's own sentences. */
const texts = bridgeTexts().filter((_, i) => i % 60 === 0);

let app: App;
let services: Services;
beforeAll(async () => {
  ({ app, services } = await startApp());
  await post("/v1/collections", { name: "sounds", model: "starter-clap" });
  await post("/v1/collections", { name: "pictures", model: "starter-clip" });
  const labelOf = { sounds: fixtureLabels.audio, pictures: fixtureLabels.images };
  const add = (collection: "sounds" | "pictures", media: string, folder: string) =>
    post(`/v1/collections/${collection}/items`, {
      items: Object.entries(labelOf[collection]).map(([file], i) => ({
        id: file,
        [media]: fixtureBase64(`${folder}/${file}`),
        metadata: { group: i % 2 === 0 ? "even" : "odd" },
      })),
    });
  await add("sounds", "audio", "audio");
  await add("pictures", "image", "images");
});
afterAll(() => services.close());

const get = async (path: string, init?: RequestInit) => {
  const response = await app.request(path, init);
  // biome-ignore lint/suspicious/noExplicitAny: answers of many routes
  return { status: response.status, body: (await response.json()) as any };
};
const post = (path: string, body: unknown = {}) => get(path, jsonPost(body));
const search = () =>
  post("/v1/collections/pictures/search", { audio: fixtureBase64("audio/rain.ogg"), top_k: 2 });

describe("POST /v1/bridges", () => {
  it("learns a bridge from texts and uses it: a sound finds pictures through it", async () => {
    expect((await search()).body.path).toEqual(["starter-clap/audio", `bridge/${name}@1`]);
    const ask = { from: "starter-clap", to: "starter-clip", texts };
    const unproved = await runJob(app, "/v1/bridges", { ...ask, name: "unproved" });
    expect(unproved.result).toMatchObject({ activated: false, verdict: { improved: false } });
    expect(unproved.result.verdict.reason).toContain(`the bridge in use, "${name}"`);
    expect((await search()).body.path).toEqual(["starter-clap/audio", `bridge/${name}@1`]);
    const job = await runJob(app, "/v1/bridges", { ...ask, activate: "always" });
    expect(job.error).toBeUndefined();
    expect(job.result).toMatchObject({
      bridge: name,
      version: 2,
      method: "ridge",
      activated: true,
    });
    expect((await search()).body.path).toEqual(["starter-clap/audio", `bridge/${name}@2`]);
    const { body } = await get(`/v1/bridges/${name}`);
    expect(body).toMatchObject({
      name,
      version: 2,
      active: true,
      versions: [{ shipped: true }, { shipped: false }],
    });
    expect(body.versions[1].report).toMatchObject({
      texts: texts.length - Math.ceil(texts.length / 5), // one in five is held out
      memory: { from: 0, to: 0 },
    });
  });

  it("answers 400 at once when no item of a collection has the label's field", async () => {
    const collections = {
      from_collection: "sounds",
      to_collection: "pictures",
      label_by: "colour",
    };
    const answer = await post("/v1/bridges", {
      from: "starter-clap",
      to: "starter-clip",
      texts,
      ...collections,
    });
    expect(answer).toMatchObject({
      status: 400,
      body: { error: { code: "invalid_input", param: "label_by" } },
    });
  });

  it("takes memory from collections and measures recall by label, besides the text pivot", async () => {
    const collections = { from_collection: "sounds", to_collection: "pictures", label_by: "group" };
    const ask = { from: "starter-clap", to: "starter-clip", texts, ...collections };
    const job = await runJob(app, "/v1/bridges", {
      ...ask,
      method: "c-mcr",
      epochs: 1,
      activate: "never",
    });
    expect(job.error).toBeUndefined();
    expect(job.events.some(({ detail }) => detail?.stage === "training")).toBe(true);
    expect(job.result).toMatchObject({ version: 3, activated: false });
    const { versions } = (await get(`/v1/bridges/${name}`)).body;
    const sounds = Object.keys(fixtureLabels.audio).length;
    const { report } = versions[2];
    expect(report.measured).toMatchObject({ queries: Math.ceil(sounds / 2), labels: 2 });
    expect(report.memory.from).toBe(Math.floor(sounds / 2));
    // Two labels: ten of nearly all pictures hold both
    expect(report.recall.bridge.at_10.chance).toBeGreaterThan(0.9);
    expect(report.recall.text_pivot.at_1.recall).toBeLessThanOrEqual(1);
  });

  it("uses the last activated bridge, and the others again once it is deactivated", async () => {
    const used = async () => (await search()).body.path[1];
    await post("/v1/bridges/unproved/activate", { version: 1 });
    expect(await used()).toBe("bridge/unproved@1");
    await post(`/v1/bridges/${name}/activate`, { version: 2 });
    expect(await used()).toBe(`bridge/${name}@2`);
    await post("/v1/bridges/unproved/activate", { version: 1 });
    expect((await post("/v1/bridges/unproved/deactivate")).body).toMatchObject({
      version: null,
      active: false,
    });
    expect(await used()).toBe(`bridge/${name}@2`);
    await get("/v1/bridges/unproved", { method: "DELETE" });
  });

  it("activates, rolls back, lists and deletes; the shipped version answers again", async () => {
    expect((await post(`/v1/bridges/${name}/activate`, { version: 3 })).body.version).toBe(3);
    expect((await post(`/v1/bridges/${name}/rollback`)).body.version).toBe(2);
    expect(
      (await get("/v1/bridges")).body.data.map((bridge: { name: string }) => bridge.name),
    ).toContain(name);
    expect((await get(`/v1/bridges/${name}`, { method: "DELETE" })).body).toEqual({
      name,
      deleted: true,
    });
    expect((await search()).body.path).toEqual(["starter-clap/audio", `bridge/${name}@1`]);
    expect((await get(`/v1/bridges/${name}`, { method: "DELETE" })).status).toBe(409);
  });

  it.each([
    ["to", { from: "starter-clap", to: "starter-clap" }, 400],
    ["model", { from: "none", to: "starter-clip" }, 404],
    ["texts", { from: "starter-clap", to: "starter-clip", texts: ["one"] }, 400],
    ["method", { from: "starter-clap", to: "starter-clip", method: "magic" }, 400],
    ["name", { from: "starter-clap", to: "starter-clip", name: "a/b" }, 400],
    ["label_by", { from: "starter-clap", to: "starter-clip", label_by: "group" }, 400],
    [
      "label_by",
      { from: "starter-clap", to: "starter-clip", label_by: "group", from_collection: "sounds" },
      400,
    ],
  ])("names %s when it is at fault", async (param, body, status) => {
    expect(await post("/v1/bridges", body)).toMatchObject({ status, body: { error: { param } } });
  });

  it("answers 404 for a collection that is not there", async () => {
    const ask = {
      from: "starter-clap",
      to: "starter-clip",
      from_collection: "none",
      to_collection: "pictures",
    };
    expect((await post("/v1/bridges", ask)).status).toBe(404);
  });
});
