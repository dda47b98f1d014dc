import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { App } from "../../../src/app.js";
import type { Services } from "../../../src/services.js";
import { ask, dataUri, floatsOf, isSame, ownEmbedding } from "../../helpers/compat.js";
import { fixtureBase64 } from "../../helpers/fixtures.js";
import { cosine } from "../../helpers/golden.js";
import { startApp } from "../../helpers/services.js";

let app: App;
let services: Services;
beforeAll(async () => {
  ({ app, services } = await startApp({ aliases: { "jina-clip-v1": "starter-clip" } }));
});
afterAll(() => services.close());

const cat = dataUri("image/jpeg", fixtureBase64("images/cat.jpg"));
const crow = dataUri("audio/wav", fixtureBase64("audio/crow.wav"));
const clip = { model: "starter-clip" };

interface List {
  object: string;
  model: string;
  data: { object: string; index: number; embedding: number[] }[];
  usage: object;
}
const first = (list: List) => list.data[0].embedding;

describe("vLLM's messages at /v1/embeddings", () => {
  const ofUser = (content: unknown) => ({ ...clip, messages: [{ role: "user", content }] });

  it("embeds a picture as our own field does", async () => {
    const content = [{ type: "image_url", image_url: { url: cat } }];
    const { status, body } = await ask<List>(app, "/v1/embeddings", ofUser(content));
    expect(status).toBe(200);
    expect(isSame(first(body), await ownEmbedding(app, cat))).toBe(true);
  });

  it("takes a sound, over a bridge where the model sees but does not hear", async () => {
    const data = fixtureBase64("audio/crow.wav");
    const content = [{ type: "input_audio", input_audio: { data, format: "wav" } }];
    const bridged = await ask<List>(app, "/v1/embeddings", ofUser(content));
    expect(bridged.body.model).toBe("starter-clip");
    const alone = await ask<List>(app, "/v1/embeddings", {
      ...ofUser(content),
      model: "starter-clap",
    });
    expect(isSame(first(alone.body), await ownEmbedding(app, crow))).toBe(true);
  });

  it.each([1000, 1001])("takes a thousand parts: %d", async (count) => {
    const content = Array(count).fill({ type: "text", text: "a cat" });
    const { status } = await ask<List>(app, "/v1/embeddings", ofUser(content));
    expect(status).toBe(count > 1000 ? 400 : 200);
  });

  it("makes one vector of several parts: the mean at unit length", async () => {
    const content = [
      { type: "image_url", image_url: { url: cat } },
      { type: "text", text: "at night" },
    ];
    const { body } = await ask<List>(app, "/v1/embeddings", ofUser(content));
    const [a, b] = [await ownEmbedding(app, cat), await ownEmbedding(app, "at night", clip)];
    const mean = a.map((value, i) => value + b[i]);
    expect(body.data.length).toBe(1);
    expect(isSame(first(body), mean)).toBe(true);
    expect(Math.hypot(...first(body))).toBeCloseTo(1, 5);
  });

  it.each([[[1, 2, 3]], [[[1, 2], [3]]]])("refuses token ids %j with the remedy", async (input) => {
    const { status, body } = await ask<{ error: { message: string } }>(app, "/v1/embeddings", {
      input,
    });
    expect(status).toBe(400);
    expect(body.error.message).toContain("check_embedding_ctx_length=False");
  });
});

// michaelfeil/infinity at fcb951c
describe("Infinity", () => {
  it("embeds texts, pictures and sounds by modality", async () => {
    const text = await ask<List & { id: string; created: number }>(app, "/embeddings", {
      model: "default/not-specified",
      input: ["a cat"],
      modality: "text",
      encoding_format: "float",
      dimensions: 0,
      user: "x",
    });
    expect(text.body).toMatchObject({ object: "list", model: "starter-clip" });
    expect(text.body.id).toMatch(/^infinity-[\da-f-]{36}$/);
    expect(isSame(first(text.body), await ownEmbedding(app, "a cat"))).toBe(true);
    const image = await ask<List>(app, "/embeddings", { input: [cat], modality: "image" });
    expect(isSame(first(image.body), await ownEmbedding(app, cat))).toBe(true);
    const audio = await ask<List>(app, "/compat/infinity/embeddings", {
      input: crow,
      modality: "audio",
    });
    expect(isSame(first(audio.body), await ownEmbedding(app, crow))).toBe(true);
  });

  it("refuses a text where it is to be a picture, in OpenAI's form", async () => {
    const { status, body } = await ask(app, "/embeddings", { input: "cat", modality: "image" });
    expect(status).toBe(400);
    expect(body).toMatchObject({ error: { code: "invalid_input", param: "input[0]" } });
  });

  it("lists models with their capabilities, and is healthy", async () => {
    const { body } = await ask<{ data: { id: string; capabilities: string[] }[] }>(app, "/models");
    expect(body.data.map(({ id, capabilities }) => [id, capabilities])).toEqual([
      ["starter-clip", ["embed", "image_embed", "rerank"]],
      ["starter-clap", ["embed", "audio_embed", "rerank"]],
    ]);
    const health = await ask<{ unix: number; status: string }>(app, "/health");
    expect(health.body).toEqual({ unix: expect.any(Number), status: "UP" });
  });

  it("ranks documents, pictures among them", async () => {
    const documents = ["a rocket", cat];
    const request = { query: "a photo of a cat", documents, return_documents: true, top_n: 1 };
    const { body } = await ask<{ results: object[] }>(app, "/rerank", request);
    expect(body).toMatchObject({ object: "rerank" });
    const scored = await ask<{ results: { index: number }[] }>(app, "/rerank", {
      query: "a cat",
      documents: ["a rocket", "a small cat"],
    });
    expect(scored.body.results[0].index).toBe(1);
    expect(body.results.length).toBe(1);
  });

  it("classifies texts by labels it is given", async () => {
    const { body } = await ask<{ data: { label: string }[][] }>(app, "/classify", {
      input: ["a small cat"],
      candidate_labels: ["cat", "rocket"],
    });
    expect(body.data[0][0].label).toBe("cat");
    expect((await ask(app, "/classify", { input: ["x"] })).status).toBe(400);
  });
});

// Jina's OpenAPI of 2026-06-17
describe("Jina", () => {
  it("embeds a request's texts, pictures and sounds into one space, under an alias", async () => {
    const input = [
      { text: "a cat" },
      { image: fixtureBase64("images/cat.jpg") },
      { audio: crow },
      { url: cat },
      { bytes: fixtureBase64("images/cat.jpg") },
    ];
    const { status, body } = await ask<List>(app, "/v1/embeddings", {
      model: "jina-clip-v1",
      input,
      normalized: true,
      task: "retrieval.query",
    });
    expect(status, JSON.stringify(body)).toBe(200);
    expect(body.data.map(({ embedding }) => embedding.length)).toEqual(Array(5).fill(384));
    const picture = await ownEmbedding(app, cat);
    for (const i of [1, 3, 4]) expect(isSame(body.data[i].embedding, picture)).toBe(true);
    expect(isSame(first(body), await ownEmbedding(app, "a cat", clip))).toBe(true);
  });

  it("writes several types at once", async () => {
    const { body } = await ask<{ data: { embedding: Record<string, number[]> }[] }>(
      app,
      "/v1/embeddings",
      { input: ["a cat"], embedding_type: ["float", "binary", "ubinary"] },
    );
    const [{ embedding }] = body.data;
    const own = await ownEmbedding(app, "a cat");
    expect(embedding.float).toEqual(own);
    expect(embedding.ubinary.length).toBe(48);
    expect(embedding.ubinary[0] >> 7).toBe(own[0] > 0 ? 1 : 0);
    expect(embedding.binary).toEqual(embedding.ubinary.map((byte) => byte - 128));
  });

  it("classifies pictures", async () => {
    const { body } = await ask<{ data: object[] }>(app, "/v1/classify", {
      model: "jina-clip-v1",
      input: [{ image: cat }],
      labels: ["cat", "rocket"],
    });
    expect(body.data[0]).toMatchObject({
      object: "classification",
      index: 0,
      prediction: "cat",
      predictions: [{ label: "cat" }, { label: "rocket" }],
    });
  });

  it("answers errors in its own form", async () => {
    const { status, body } = await ask(app, "/v1/classify", { input: ["x"] });
    expect(status).toBe(400);
    expect(body).toMatchObject({ detail: expect.any(String), request_id: expect.any(String) });
  });
});

describe("Cohere's /v2/embed", () => {
  it("embeds texts in every type it has", async () => {
    const { body } = await ask<{ embeddings: Record<string, unknown[]> }>(app, "/v2/embed", {
      ...clip,
      input_type: "search_document",
      texts: ["a cat"],
      embedding_types: ["float", "int8", "uint8", "binary", "ubinary", "base64"],
      truncate: "END",
    });
    expect(body).toMatchObject({ response_type: "embeddings_by_type", texts: ["a cat"] });
    const own = await ownEmbedding(app, "a cat", clip);
    const { float, int8, uint8, base64 } = body.embeddings as Record<string, number[][]>;
    expect(float[0]).toEqual(own);
    expect(floatsOf(String(base64[0]))).toEqual(own);
    expect(cosine(int8[0], own)).toBeGreaterThan(0.999);
    expect(uint8[0]).toEqual(int8[0].map((value) => value + 128));
    expect(Math.max(...int8[0].map(Math.abs))).toBe(127);
  });

  it("embeds pictures, and inputs of several parts", async () => {
    const images = await ask<{ embeddings: { float: number[][] }; images: object[] }>(
      app,
      "/v2/embed",
      { ...clip, input_type: "image", images: [cat], embedding_types: ["float"] },
    );
    const own = await ownEmbedding(app, cat);
    expect(isSame(images.body.embeddings.float[0], own)).toBe(true);
    expect(images.body.images[0]).toMatchObject({ format: "jpeg", width: expect.any(Number) });
    const content = [{ type: "image_url", image_url: { url: cat } }];
    const inputs = await ask<{ embeddings: { float: number[][] } }>(app, "/v2/embed", {
      ...clip,
      inputs: [{ content }],
    });
    expect(isSame(inputs.body.embeddings.float[0], own)).toBe(true);
  });

  it("answers errors in its own form", async () => {
    const { status, body } = await ask(app, "/v2/embed", { ...clip });
    expect(status).toBe(400);
    expect(body).toEqual({ id: expect.any(String), message: expect.stringContaining("texts") });
  });
});

describe("Voyage's /v1/multimodalembeddings", () => {
  it("embeds an input of several parts as one, as base64 when asked", async () => {
    const content = [{ type: "image_base64", image_base64: cat }];
    const { body } = await ask<{ data: { embedding: string }[]; usage: object }>(
      app,
      "/v1/multimodalembeddings",
      {
        inputs: [{ content }],
        ...clip,
        input_type: null,
        truncation: true,
        output_dtype: null,
        output_dimension: null,
        encoding_format: "base64",
      },
    );
    expect(isSame(floatsOf(body.data[0].embedding), await ownEmbedding(app, cat))).toBe(true);
    const usage = { text_tokens: 0, image_pixels: 0, video_pixels: 0, total_tokens: 0 };
    expect(body.usage).toEqual(usage);
  });

  it("refuses a video by name, in its own form", async () => {
    const content = [{ type: "video_url", video_url: "https://x.example/a.mp4" }];
    const { status, body } = await ask(app, "/v1/multimodalembeddings", { inputs: [{ content }] });
    expect(status).toBe(400);
    expect(body).toEqual({ detail: expect.stringContaining("Videos") });
  });
});

// huggingface/text-embeddings-inference at 0d124dc
describe("TEI", () => {
  it("embeds, compares and ranks", async () => {
    const embed = await ask<number[][]>(app, "/embed", { inputs: "a cat", truncate: true });
    expect(isSame(embed.body[0], await ownEmbedding(app, "a cat"))).toBe(true);
    const inputs = { source_sentence: "a cat", sentences: ["a cat", "a rocket"] };
    const { body: similar } = await ask<number[]>(app, "/similarity", { inputs });
    expect(similar[0]).toBeCloseTo(1, 5);
    expect(similar[1]).toBeLessThan(0.99);
    const ranked = await ask<{ index: number; text: string }[]>(app, "/rerank", {
      query: "a cat",
      texts: ["a rocket", "a small cat"],
      return_text: true,
    });
    expect(ranked.body[0]).toMatchObject({ index: 1, text: "a small cat" });
  });

  it("has no prompts: null is none, a name is refused", async () => {
    const none = { inputs: "a cat", prompt_name: null };
    expect((await ask(app, "/embed", none)).status).toBe(200);
    expect((await ask(app, "/hf", none)).status).toBe(200);
    const named = await ask(app, "/embed", { inputs: "a cat", prompt_name: "query" });
    expect(named.status).toBe(422);
    expect(named.body).toMatchObject({ error: expect.stringContaining("have no prompts") });
  });

  it("ranks empty texts, as passages at times are", async () => {
    const texts = ["a cat", ""];
    const { body } = await ask<{ index: number }[]>(app, "/rerank", { query: "a cat", texts });
    expect(body.map(({ index }) => index)).toEqual([0, 1]);
    expect((await app.request("/compat/tei/ping")).status).toBe(200);
  });

  it("tells of itself, and predicts by labels it is given", async () => {
    const info = await ask(app, "/info");
    expect(info.body).toMatchObject({ model_id: "starter-clip", max_client_batch_size: 2048 });
    const request = { inputs: "a small cat", candidate_labels: ["cat", "rocket"] };
    const { body } = await ask<{ label: string }[]>(app, "/predict", request);
    expect(body[0].label).toBe("cat");
    const alone = await ask(app, "/predict", { ...request, inputs: ["a small cat"] });
    expect(alone.body).toEqual(body);
    const batch = await ask(app, "/predict", { ...request, inputs: [["a small cat"], ["x"]] });
    expect(batch.body).toEqual([body, expect.any(Array)]);
    const pair = await ask(app, "/predict", { ...request, inputs: ["a cat", "a dog"] });
    expect(pair.status).toBe(422);
  });

  // router/src/http/server.rs: "/", "/invocations" and "/vertex" of an embedding model
  it("embeds at the paths of SageMaker and Vertex, and at its base URL", async () => {
    const inputs = ["a cat"];
    const { body: own } = await ask<number[][]>(app, "/embed", { inputs });
    for (const path of ["/invocations", "/compat/tei/", "/"])
      expect((await ask(app, path, { inputs })).body, path).toEqual(own);
    const ranking = { query: "a cat", texts: ["a rocket", "a small cat"] };
    const { body } = await ask(app, "/vertex", { instances: [{ inputs }, ranking] });
    expect(body).toEqual({ predictions: [own, (await ask(app, "/rerank", ranking)).body] });
    const wrong = await ask<{ error: string }>(app, "/vertex", { instances: [{ inputs: 1 }] });
    expect(wrong).toMatchObject({ status: 422, body: { error_type: "Validation" } });
  });

  it.each([
    ["/embed", { inputs: [] }],
    ["/similarity", { inputs: { source_sentence: "a", sentences: [] } }],
    ["/rerank", { query: "a", texts: [] }],
    ["/tokenize", { inputs: [] }],
    ["/decode", { ids: [] }],
  ])("answers 400 Empty for an empty list at %s", async (path, request) => {
    const { status, body } = await ask(app, path, request);
    expect(status).toBe(400);
    expect(body).toEqual({ error: expect.stringMatching(/ is empty$/), error_type: "Empty" });
  });

  it("answers 422 Validation, also for a text too long for truncate: false", async () => {
    for (const request of [{}, { inputs: "cat ".repeat(1000), truncate: false }]) {
      const { status, body } = await ask(app, "/embed", request);
      expect(status).toBe(422);
      expect(body).toMatchObject({ error: expect.any(String), error_type: "Validation" });
    }
  });
});

describe("Ollama's /api/embed", () => {
  it("embeds texts and, beyond the original, pictures", async () => {
    const request = {
      model: "starter-clip:latest",
      input: ["a cat"],
      images: [fixtureBase64("images/cat.jpg")],
    };
    const { body } = await ask<{ embeddings: number[][] }>(app, "/api/embed", request);
    expect(body).toMatchObject({ model: "starter-clip:latest", load_duration: 0 });
    expect(isSame(body.embeddings[0], await ownEmbedding(app, "a cat"))).toBe(true);
    expect(isSame(body.embeddings[1], await ownEmbedding(app, cat))).toBe(true);
  });

  it("answers its older path with one embedding", async () => {
    const request = { ...clip, prompt: "a cat", keep_alive: "5m", options: {} };
    const { body } = await ask<{ embedding: number[] }>(app, "/api/embeddings", request);
    expect(Object.keys(body)).toEqual(["embedding"]);
    expect(isSame(body.embedding, await ownEmbedding(app, "a cat"))).toBe(true);
  });

  it.each(["", [], undefined])(
    "gives nothing for no input, by which its clients load: %j",
    async (input) => {
      const { status, body } = await ask(app, "/api/embed", { ...clip, input });
      expect(status).toBe(200);
      expect(body).toMatchObject({ model: "starter-clip", embeddings: [], prompt_eval_count: 0 });
      const older = await ask(app, "/api/embeddings", { ...clip, prompt: "" });
      expect(older.body).toEqual({ embedding: [] });
      expect((await ask(app, "/api/embed", { model: "nomic", input })).status).toBe(404);
    },
  );

  it("reads JSON of any type, as its documentation's curl sends it", async () => {
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    const request = { method: "POST", headers, body: JSON.stringify({ ...clip, input: "a cat" }) };
    expect((await app.request("/api/embed", request)).status).toBe(200);
  });

  it("lists the models, and tells a version", async () => {
    const { body } = await ask<{ models: object[] }>(app, "/api/tags");
    expect(body.models).toMatchObject([
      { name: "starter-clip:latest", details: { family: "clip", quantization_level: "int8" } },
      { name: "starter-clap:latest", size: expect.any(Number) },
    ]);
    expect((await ask(app, "/api/version")).body).toEqual({ version: expect.any(String) });
  });

  it("answers an unknown model with 404 and its own form", async () => {
    const { status, body } = await ask(app, "/api/embed", { model: "nomic", input: "x" });
    expect(status).toBe(404);
    expect(body).toEqual({ error: expect.stringContaining("nomic") });
  });
});

describe("a path that several clients share", () => {
  it("says which they are when a body is of none", async () => {
    const { status, body } = await ask<{ error: { message: string } }>(app, "/predict", { x: 1 });
    expect(status).toBe(400);
    expect(body.error.message).toMatch(/immich, label-studio, tei/);
  });

  it("answers under the prefix of each", async () => {
    const { body } = await ask<number[][]>(app, "/compat/tei/embed", { inputs: "a cat" });
    expect(isSame(body[0], await ownEmbedding(app, "a cat"))).toBe(true);
  });
});
