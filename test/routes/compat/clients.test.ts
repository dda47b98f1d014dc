import type { AddressInfo } from "node:net";
import { serve } from "@hono/node-server";
import { InferenceClient } from "@huggingface/inference";
import { OpenAIEmbeddings } from "@langchain/openai";
import { JinaAIEmbedding } from "@llamaindex/jinaai";
import { CohereClientV2, CohereError } from "cohere-ai";
import { createJina } from "jina-ai-provider";
import { Ollama } from "ollama";
import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { VoyageAIClient, VoyageAIError } from "voyageai";
import type { App } from "../../../src/app.js";
import type { Services } from "../../../src/services.js";
import { dataUri, isSame, ownEmbedding } from "../../helpers/compat.js";
import { fixture, fixtureBase64 } from "../../helpers/fixtures.js";
import { startApp } from "../../helpers/services.js";

let app: App;
let services: Services;
let server: ReturnType<typeof serve>;
let url: string;
beforeAll(async () => {
  ({ app, services } = await startApp({ aliases: { "jina-clip-v1": "starter-clip" } }));
  server = await new Promise((resolve) => {
    const listening = serve({ fetch: app.fetch, hostname: "127.0.0.1", port: 0 }, () =>
      resolve(listening),
    );
  });
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  server.close();
  await services.close();
});

const cat = dataUri("image/jpeg", fixtureBase64("images/cat.jpg"));
const model = "starter-clip";

describe("the packages as their users have them", () => {
  it("openai embeds through base64, and knows our errors", async () => {
    const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: "none", maxRetries: 0 });
    const { data } = await client.embeddings.create({ model, input: ["a cat", "a dog"] });
    expect(isSame(data[0].embedding, await ownEmbedding(app, "a cat", { model }))).toBe(true);
    const floats = await client.embeddings.create({ model, input: cat, encoding_format: "float" });
    expect(isSame(floats.data[0].embedding, await ownEmbedding(app, cat))).toBe(true);
    expect((await client.models.retrieve(model)).owned_by).toBeDefined();
    await expect(client.embeddings.create({ model, input: [1, 2] })).rejects.toThrow(
      OpenAI.BadRequestError,
    );
    await expect(client.embeddings.create({ model: "gpt", input: "x" })).rejects.toThrow(
      OpenAI.NotFoundError,
    );
  });

  it("openai finds each field of its own answers and errors", async () => {
    const keyed = await startApp({
      models: ["starter-clip"],
      apiKeys: ["sk-test-1"],
      requestsPerMinute: 6,
    });
    const clientOf = (apiKey: string) =>
      new OpenAI({
        baseURL: "http://localhost/v1",
        apiKey,
        maxRetries: 0,
        fetch: async (address, init) => keyed.app.request(String(address), init),
      });
    const client = clientOf("sk-test-1");
    const answer = await client.embeddings.create({
      model,
      input: "a cat",
      dimensions: 384,
      user: "someone",
    });
    expect(answer).toMatchObject({
      object: "list",
      model,
      data: [{ object: "embedding", index: 0 }],
      usage: { prompt_tokens: expect.any(Number), total_tokens: expect.any(Number) },
    });
    const refused = { status: 400, type: "invalid_request_error", code: "invalid_input" };
    const wrong = [
      [
        { model, input: "a cat", dimensions: 256 },
        { ...refused, param: "dimensions" },
      ],
      [
        { model, input: [] },
        { ...refused, param: "input" },
      ],
      [
        { model, input: "" },
        { ...refused, param: "input" },
      ],
      [{ model, input: "a cat", encoding_format: "hex" as "float" }, refused],
    ] as const;
    for (const [request, error] of wrong)
      await expect(
        client.embeddings.create({ ...request, input: request.input as string }),
      ).rejects.toMatchObject(error);
    await expect(clientOf("sk-wrong").models.list()).rejects.toThrow(OpenAI.AuthenticationError);
    const many = Array.from({ length: 8 }, () => client.models.list());
    const limited = (await Promise.allSettled(many)).flatMap((one) =>
      one.status === "rejected" ? [one.reason] : [],
    );
    expect(limited.length).toBeGreaterThan(0);
    for (const error of limited) {
      expect(error).toBeInstanceOf(OpenAI.RateLimitError);
      expect(error).toMatchObject({ type: "rate_limit_error", code: "rate_limited" });
      expect(Number(error.headers.get("retry-after"))).toBeGreaterThan(0);
    }
    await keyed.services.close();
  });

  it("@huggingface/inference classifies and embeds", async () => {
    const client = new InferenceClient().endpoint(`${url}/hf/${model}`);
    const image = new Blob([Uint8Array.from(fixture("images/cat.jpg"))]);
    const parameters = { candidate_labels: ["rocket", "cat"] };
    const scores = await client.zeroShotImageClassification({ inputs: { image }, parameters });
    expect(scores[0].label).toBe("cat");
    const texts = await client.zeroShotClassification({ inputs: "a small cat", parameters });
    expect(texts[0].label).toBe("cat");
    const embedded = (await client.featureExtraction({ inputs: "a cat" })) as number[][];
    expect(isSame(embedded[0], await ownEmbedding(app, "a cat", { model }))).toBe(true);
    const hearing = new InferenceClient().endpoint(
      `${url}/hf/starter-clap?candidate_labels=rain,crow%20cawing`,
    );
    const data = new Blob([Uint8Array.from(fixture("audio/crow.wav"))], { type: "audio/wav" });
    expect((await hearing.audioClassification({ data }))[0].label).toBe("crow cawing");
    await expect(
      client.zeroShotClassification({ inputs: "x", parameters: { candidate_labels: [] } }),
    ).rejects.toThrow();
  });

  it("cohere-ai embeds texts and pictures", async () => {
    const client = new CohereClientV2({ environment: url, token: "none" });
    const request = { model, inputType: "image", embeddingTypes: ["float"] } as const;
    const pictures = await client.embed({ ...request, images: [cat], embeddingTypes: ["float"] });
    expect(isSame(pictures.embeddings.float![0], await ownEmbedding(app, cat))).toBe(true);
    await expect(
      client.embed({ model: "none", inputType: "search_query", texts: ["x"] }),
    ).rejects.toThrow(CohereError);
  });

  it("voyageai embeds pictures", async () => {
    const client = new VoyageAIClient({ environment: `${url}/v1`, apiKey: "none" });
    const content = [{ type: "image_base64", imageBase64: cat }];
    const { data } = await client.multimodalEmbed({ model, inputs: [{ content }] });
    expect(isSame(data![0].embedding as number[], await ownEmbedding(app, cat))).toBe(true);
    await expect(client.multimodalEmbed({ model: "none", inputs: [{ content }] })).rejects.toThrow(
      VoyageAIError,
    );
  });

  it("@langchain/openai embeds", async () => {
    const options = {
      model,
      apiKey: "none",
      maxRetries: 0,
      configuration: { baseURL: `${url}/v1` },
    };
    const client = new OpenAIEmbeddings(options);
    const own = await ownEmbedding(app, "a cat", { model });
    expect(isSame(await client.embedQuery("a cat"), own)).toBe(true);
    expect(isSame((await client.embedDocuments(["a dog", "a cat"]))[1], own)).toBe(true);
    const wrong = new OpenAIEmbeddings({ ...options, model: "none" });
    await expect(wrong.embedQuery("a cat")).rejects.toMatchObject({ status: 404 });
  });

  it("@llamaindex/jinaai embeds texts and pictures, under a name that it knows", async () => {
    const baseURL = `${url}/v1/embeddings`;
    const client = new JinaAIEmbedding({ apiKey: "none", model: "jina-clip-v1", baseURL });
    const text = await client.getTextEmbedding("a cat");
    expect(isSame(text, await ownEmbedding(app, "a cat", { model }))).toBe(true);
    const blob = new Blob([Uint8Array.from(fixture("images/cat.jpg"))], { type: "image/jpeg" });
    const picture = await client.getImageEmbedding(blob);
    expect(isSame(picture, await ownEmbedding(app, cat, { model }))).toBe(true);
    const wrong = new JinaAIEmbedding({ apiKey: "none", model: "none", baseURL });
    await expect(wrong.getTextEmbedding("a cat")).rejects.toThrow(/status 404.*none/s);
  });

  it("jina-ai-provider embeds texts and pictures", async () => {
    const provider = createJina({ apiKey: "none", baseURL: `${url}/v1` });
    const { embeddings } = await provider.textEmbeddingModel(model).doEmbed({ values: ["a cat"] });
    expect(isSame(embeddings[0], await ownEmbedding(app, "a cat", { model }))).toBe(true);
    const pictures = await provider
      .multiModalEmbeddingModel(model)
      .doEmbed({ values: [{ image: cat }] });
    expect(isSame(pictures.embeddings[0], await ownEmbedding(app, cat, { model }))).toBe(true);
    const wrong = provider.textEmbeddingModel("none").doEmbed({ values: ["a cat"] });
    await expect(wrong).rejects.toMatchObject({ name: "AI_APICallError", statusCode: 404 });
  });

  it("ollama embeds", async () => {
    const client = new Ollama({ host: url });
    const { embeddings } = await client.embed({ model, input: ["a cat"] });
    expect(isSame(embeddings[0], await ownEmbedding(app, "a cat", { model }))).toBe(true);
    await expect(client.embed({ model: "none", input: "x" })).rejects.toThrow("none");
  });
});
