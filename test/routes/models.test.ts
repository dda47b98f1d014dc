import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { App } from "../../src/app.js";
import type { Services } from "../../src/services.js";
import type { CollectionAnswer } from "../../src/wire/collections.js";
import type { ModelAnswer, ModelList } from "../../src/wire/models.js";
import { FakeHub } from "../helpers/fake-hub.js";
import { goldenPath } from "../helpers/golden.js";
import { runJob } from "../helpers/jobs.js";
import { jsonPost, startApp } from "../helpers/services.js";

let app: App;
let services: Services;
beforeAll(async () => {
  ({ app, services } = await startApp({
    models: ["starter-clip"],
    aliases: { pictures: "starter-clip" },
    cacheBytes: 0,
  }));
});
afterAll(() => services.close());

const load = async (body: unknown) => {
  const response = await app.request("/v1/models", jsonPost(body));
  return { status: response.status, body: (await response.json()) as never };
};
const unload = (id: string) => app.request(`/v1/models/${id}`, { method: "DELETE" });
const loaded = async () => {
  const { data } = (await (await app.request("/v1/models")).json()) as ModelList;
  return data.map(({ id }) => id);
};
const embed = (model: string, input = "a cat") =>
  app.request("/v1/embeddings", jsonPost({ model, input }));

describe("POST /v1/models", () => {
  it("loads an installed model once, and pins it", async () => {
    const first = await load({ model: "starter-clap" });
    expect(first).toMatchObject({
      status: 201,
      body: { id: "starter-clap", pinned: false, shorter_dimensions: null },
    });
    expect(await load({ model: "starter-clap", pinned: true })).toMatchObject({
      status: 200,
      body: { pinned: true, towers: [{ in_memory: true }, { in_memory: true }] },
    });
    expect(await loaded()).toEqual(["starter-clip", "starter-clap"]);
    expect((await embed("starter-clap")).status).toBe(200);
  });

  it("tells what is installed beside what is loaded", async () => {
    const { installed } = (await (await app.request("/v1/models")).json()) as ModelList;
    expect(installed).toEqual(expect.arrayContaining(["starter-clap", "starter-clip"]));
  });

  it("pulls a model from the hub as a job, and loads it", async () => {
    const hub = await FakeHub.start();
    try {
      hub.addRepo("someone/Tiny-CLIP", goldenPath("tiny-clip"), { license: "mit" });
      vi.stubEnv("HF_ENDPOINT", hub.url);
      vi.stubEnv("HF_HOME", mkdtempSync(join(tmpdir(), "crossmodal-hub-")));
      const pull = { pull: "someone/Tiny-CLIP", dtypes: ["fp32"] };
      const job = await runJob(app, "/v1/models", pull);
      expect(job).toMatchObject({
        kind: "pull",
        state: "succeeded",
        progress: 1,
        result: { model: "tiny-clip", was_here: false },
      });
      const { bytes } = job.detail as { bytes: number };
      expect(bytes).toBeGreaterThan(0);
      expect((await embed("tiny-clip")).status).toBe(200);
      expect((await runJob(app, "/v1/models", pull)).result).toMatchObject({ was_here: true });
      const absent = await runJob(app, "/v1/models", { pull: "someone/absent" });
      expect(absent).toMatchObject({ state: "failed", error: { code: "hub_failed" } });
    } finally {
      await unload("tiny-clip");
      vi.unstubAllEnvs();
      await hub.close();
    }
  });

  it("takes names of what is installed, and no paths", async () => {
    for (const model of ["../starter-clap", "/etc", `${process.cwd()}/models/starter-clap`])
      expect(await load({ model })).toMatchObject({
        status: 404,
        body: { error: { code: "model_not_found", param: "model" } },
      });
  });

  it("names what is wrong with a request", async () => {
    expect(await load({ model: "nothing" })).toMatchObject({
      status: 404,
      body: { error: { code: "model_not_found", param: "model" } },
    });
    expect(await load({})).toMatchObject({ status: 400, body: { error: { param: "model" } } });
    expect(await load({ model: "a", pull: "b" })).toMatchObject({ status: 400 });
    expect(await load({ pull: "no such name" })).toMatchObject({
      status: 404,
      body: { error: { code: "model_not_found" } },
    });
  });
});

describe("DELETE /v1/models/{id}", () => {
  it("unloads a model; its collections say so until it is back", async () => {
    const { space } = (await (await app.request("/v1/models/pictures")).json()) as ModelAnswer;
    await app.request("/v1/collections", jsonPost({ name: "c", model: "starter-clip" }));
    await app.request("/v1/collections/c/items", jsonPost({ items: [{ id: "1", text: "a cat" }] }));
    const collection = async () =>
      (await (await app.request("/v1/collections/c")).json()) as CollectionAnswer;
    expect((await collection()).model_loaded).toBe(true);

    expect((await unload("pictures")).status).toBe(200);
    expect(await loaded()).toEqual(["starter-clap"]);
    await unload("starter-clap"); // from which a bridge leads into the collection
    expect((await unload("starter-clip")).status).toBe(404);
    expect((await collection()).model_loaded).toBe(false);
    const search = () => app.request("/v1/collections/c/search", jsonPost({ text: "a cat" }));
    const refused = await search();
    expect(refused.status).toBeGreaterThanOrEqual(400);
    expect(JSON.stringify(await refused.json())).toContain("POST /v1/models");

    expect(await load({ model: "starter-clip" })).toMatchObject({ status: 201, body: { space } });
    expect((await search()).status).toBe(200);
    expect((await collection()).model_loaded).toBe(true);
  });

  it("drops no request while models are swapped under load", async () => {
    let isOver = false;
    const statuses: number[] = [];
    const client = async (name: string) => {
      for (let i = 0; !isOver; i++) {
        statuses.push((await embed("starter-clip", `${name} ${i}`)).status);
        await new Promise(setImmediate); // a refusal may come without one
      }
    };
    const clients = ["a", "b", "c", "d"].map(client);
    try {
      for (let i = 0; i < 3; i++) {
        expect((await load({ model: "starter-clip", reload: true })).status).toBe(201);
        const before = statuses.length;
        await expect.poll(() => statuses.length, { timeout: 30_000 }).toBeGreaterThan(before + 8);
      }
    } finally {
      isOver = true;
    }
    await Promise.all(clients);
    expect(new Set(statuses)).toEqual(new Set([200]));
  });
});
