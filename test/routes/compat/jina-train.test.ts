import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { App } from "../../../src/app.js";
import { changesNothing, foreignShapes } from "../../../src/routes/compat/compat.js";
import { scopeOf } from "../../../src/routes/require-key.js";
import type { Services } from "../../../src/services.js";
import { ask, dataUri } from "../../helpers/compat.js";
import { fixtureBase64 } from "../../helpers/fixtures.js";
import { startApp } from "../../helpers/services.js";

let app: App;
let services: Services;
beforeAll(async () => {
  ({ app, services } = await startApp());
});
afterAll(() => services.close());

interface Classified {
  data: {
    object: string;
    index: number;
    prediction: string;
    score: number;
    predictions: { label: string; score: number }[];
  }[];
}
const picture = (name: string) => dataUri("image/jpeg", fixtureBase64(`images/${name}`));
const remove = async (id: string) =>
  (await app.request(`/v1/classifiers/${id}`, { method: "DELETE" })).status;

// Source: tryAGI/Jina at 2a3f424, src/libs/Jina/openapi.json: TrainingResponse, ClassifierSummary,
// ClassificationPrediction.
describe("Jina's few-shot classifiers", () => {
  it("are trained from pictures, classify, are listed and deleted", async () => {
    const input = [
      { image: picture("cat.jpg"), label: "alive" },
      { image: picture("horse.png"), label: "alive" },
      { image: picture("bricks.jpg"), label: "dead" },
      { image: picture("coins.tiff"), label: "dead" },
    ];
    const request = { model: "starter-clip", access: "private", num_iters: 10, input };
    const trained = await ask<{ classifier_id: string }>(app, "/v1/train", request);
    expect(trained).toEqual({
      status: 200,
      body: { classifier_id: expect.any(String), num_samples: 4, usage: { total_tokens: 0 } },
    });
    const id = trained.body.classifier_id;
    const { body } = await ask<Classified>(app, "/v1/classify", {
      classifier_id: id,
      input: { image: picture("horse.png") },
    });
    expect(body.data).toHaveLength(1);
    expect(body.data[0]).toMatchObject({ object: "classification", prediction: "alive" });
    const listed = await ask<object[]>(app, "/v1/classifiers");
    expect(listed.body).toEqual([
      {
        classifier_id: id,
        model: "starter-clip",
        labels: ["alive", "dead"],
        access: "private",
        is_active: true,
        is_latest: true,
        updated_number: 1,
        created_at: expect.stringMatching(/^\d{4}-.*Z$/),
        updated_at: expect.any(String),
        metadata_: {},
      },
    ]);
    expect((await ask(app, `/v1/classifiers/${id}`)).body).toEqual(listed.body[0]);
    const again = await ask<{ detail: string }>(app, "/v1/train", {
      classifier_id: id,
      input: input[0],
    });
    expect(again.status).toBe(400);
    expect(again.body.detail).toContain("train a new one");
    expect(await remove(id)).toBe(200);
    expect(await remove(id)).toBe(404);
    expect((await ask(app, "/v1/classifiers")).body).toEqual([]);
  });

  it("are trained from texts and from sounds", async () => {
    const train = async (input: object[], model?: string) => {
      const { status, body } = await ask<{ classifier_id: string }>(app, "/v1/train", {
        input,
        model,
      });
      expect(status, JSON.stringify(body)).toBe(200);
      return body.classifier_id;
    };
    const texts = await train([
      { text: "a happy dog", label: "animal" },
      { text: "a sleepy cat", label: "animal" },
      { text: "a fast car", label: "machine" },
      { text: "a big train", label: "machine" },
    ]);
    const about = { classifier_id: texts, input: ["a small horse", "an old truck"] };
    const { body } = await ask<Classified>(app, "/v1/classify", about);
    expect(body.data.map(({ prediction }) => prediction)).toEqual(["animal", "machine"]);
    const sound = (name: string) => fixtureBase64(`audio/${name}`);
    const sounds = await train([
      { audio: sound("dog.mp3"), label: "animal" },
      { audio: sound("cow.ogg"), label: "animal" },
      { audio: sound("rain.ogg"), label: "weather" },
      { audio: sound("wind.ogg"), label: "weather" },
    ]);
    const heard = { classifier_id: sounds, input: [{ audio: sound("sheep.flac") }] };
    expect((await ask<Classified>(app, "/v1/classify", heard)).body.data[0].prediction).toBe(
      "animal",
    );
  });

  it("are made and deleted by keys that may write", () => {
    const onlyComputes = changesNothing(foreignShapes(services));
    const of = (method: string, path: string) => scopeOf(method, path, onlyComputes);
    expect(of("POST", "/v1/train")).toBe("write");
    expect(of("POST", "/compat/jina/v1/train")).toBe("write");
    expect(of("DELETE", "/v1/classifiers/x")).toBe("write");
    expect(of("GET", "/v1/classifiers")).toBe("read");
    expect(of("POST", "/v1/classify")).toBe("read");
  });

  it("refuse what cannot be trained, in Jina's form and with its fields", async () => {
    const refused = async (body: object, status: number, detail: RegExp) => {
      const answer = await ask<{ detail: string; request_id: string }>(app, "/v1/train", body);
      expect(answer.status, answer.body.detail).toBe(status);
      expect(answer.body).toMatchObject({ detail: expect.stringMatching(detail) });
      expect(answer.body.request_id).toEqual(expect.any(String));
    };
    const a = { text: "a cat", label: "cat" };
    await refused({ input: [a, { text: "two cats", label: "cat" }] }, 400, /at least two labels/);
    await refused({ input: [a, { image: picture("cat.jpg"), label: "b" }] }, 400, /input\[1\]/);
    await refused({ input: [] }, 400, /"input"/);
    await refused({ input: [a], access: "public" }, 400, /"access"/);
    await refused({ input: [a], classifier_id: "none" }, 404, /"none"/);
    await refused({ input: [a], model: "none" }, 404, /"none"/);
    expect(services.heads.list()).toHaveLength(2);
  });
});

describe("Jina's groups of labels and ranking", () => {
  it("answer each group by itself", async () => {
    const { body } = await ask<{ data: object[] }>(app, "/v1/classify", {
      model: "starter-clip",
      input: [{ image: picture("cat.jpg") }],
      labels: { what: ["a cat", "a rocket"], where: ["indoors", "in space"] },
    });
    const scored = [
      { label: expect.any(String), score: expect.any(Number) },
      { label: expect.any(String), score: expect.any(Number) },
    ];
    expect(body.data).toEqual([
      {
        object: "classification",
        index: 0,
        prediction: { what: "a cat", where: expect.any(String) },
        score: { what: expect.any(Number), where: expect.any(Number) },
        predictions: { what: scored, where: scored },
      },
    ]);
    const { status } = await ask(app, "/v1/classify", { input: ["x"], labels: {} });
    expect(status).toBe(400);
  });

  it("rank texts and pictures, with their documents and embeddings", async () => {
    const { body } = await ask<{ results: { index: number; embedding: number[] }[] }>(
      app,
      "/v1/rerank",
      {
        model: "starter-clip",
        query: "a sleeping cat",
        documents: ["a rocket", { image: picture("cat.jpg") }, { text: "a cat lies asleep" }],
        top_n: 2,
        return_embeddings: true,
      },
    );
    expect(body).toMatchObject({ object: "list", usage: { total_tokens: expect.any(Number) } });
    expect(body.results.map(({ index }) => index).sort()).toEqual([1, 2]);
    expect(body.results[0]).toMatchObject({ index: 2, document: { text: "a cat lies asleep" } });
    expect(body.results[0].embedding).toHaveLength(384);
  });
});
