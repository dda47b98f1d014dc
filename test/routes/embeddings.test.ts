import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { App } from "../../src/app.js";
import type { Services } from "../../src/services.js";
import { fixture, fixtureBase64 } from "../helpers/fixtures.js";
import { cosine } from "../helpers/golden.js";
import { formPost, jsonPost, startApp } from "../helpers/services.js";

interface Answer {
  object: string;
  model: string;
  space: string;
  data: { object: string; index: number; embedding: number[] | string }[];
  usage: { prompt_tokens: number; total_tokens: number };
}

let app: App;
let services: Services;
beforeAll(async () => {
  ({ app, services } = await startApp());
});
afterAll(() => services.close());

const embed = async (init: RequestInit) => {
  const response = await app.request("/v1/embeddings", init);
  expect(response.status, await response.clone().text()).toBe(200);
  return (await response.json()) as Answer;
};

describe("POST /v1/embeddings", () => {
  it("answers in OpenAI's shape, with unit vectors in input order", async () => {
    const { object, model, data, usage } = await embed(
      jsonPost({ model: "starter-clip", input: ["a red bus", "a cat"] }),
    );
    expect({ object, model }).toEqual({ object: "list", model: "starter-clip" });
    expect(data.map(({ index }) => index)).toEqual([0, 1]);
    for (const { embedding } of data) {
      expect(embedding.length).toBe(384);
      const numbers = embedding as number[];
      expect(Math.hypot(...numbers)).toBeCloseTo(1, 5);
    }
    // [CLS] a red bus [SEP], [CLS] a cat [SEP]
    expect(usage).toEqual({ prompt_tokens: 9, total_tokens: 9 });
  });

  it("gives the same numbers as base64", async () => {
    const floats = await embed(jsonPost({ input: "a cat" }));
    const packed = await embed(jsonPost({ input: "a cat", encoding_format: "base64" }));
    const bytes = Buffer.from(packed.data[0].embedding as string, "base64");
    const numbers = new Float32Array(
      bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength),
    );
    expect([...numbers]).toEqual(floats.data[0].embedding);
  });

  it("tells a picture and a sound by their data URI, and takes files with a modality", async () => {
    const image = await embed(
      jsonPost({ input: `data:image/jpeg;base64,${fixtureBase64("images/cat.jpg")}` }),
    );
    const upload = await embed(formPost({ input: fixture("images/cat.jpg"), modality: "image" }));
    expect(upload.data).toEqual(image.data);
    const audio = await embed(
      jsonPost({ input: `data:audio/wav;base64,${fixtureBase64("audio/crow.wav")}` }),
    );
    expect(audio.model).toBe("starter-clap");
  });

  it("takes each input by its own kind, whatever the first one is", async () => {
    const cat = `data:image/jpeg;base64,${fixtureBase64("images/cat.jpg")}`;
    const alone = await embed(jsonPost({ model: "starter-clip", input: cat }));
    const texts = await embed(jsonPost({ model: "starter-clip", input: "a cat" }));
    for (const input of [
      ["a cat", cat],
      [cat, "a cat"],
    ]) {
      const { data, usage } = await embed(jsonPost({ model: "starter-clip", input }));
      const [text, picture] = input[0] === cat ? [data[1], data[0]] : data;
      expect(picture.embedding).toEqual(alone.data[0].embedding);
      expect(text.embedding).toEqual(texts.data[0].embedding);
      expect(usage).toEqual(texts.usage);
    }
  });

  it("tells uploads by their content", async () => {
    const named = await embed(formPost({ input: fixture("audio/crow.wav"), modality: "audio" }));
    const told = await embed(formPost({ input: fixture("audio/crow.wav") }));
    expect(told).toEqual(named);
  });

  it.each(["", "application/octet-stream"])(
    "tells a data URI by its content where its type says nothing: %j",
    async (type) => {
      const base64 = fixtureBase64("images/cat.jpg");
      const [named, told] = await Promise.all(
        [`data:image/jpeg;base64,${base64}`, `data:${type};base64,${base64}`].map((input) =>
          embed(jsonPost({ input })),
        ),
      );
      expect(told).toEqual(named);
    },
  );

  it("refuses a list that no single model understands", async () => {
    const picture = `data:image/jpeg;base64,${fixtureBase64("images/cat.jpg")}`;
    const sound = `data:audio/wav;base64,${fixtureBase64("audio/crow.wav")}`;
    const response = await app.request("/v1/embeddings", jsonPost({ input: [picture, sound] }));
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ error: { code: "model_not_found" } });
  });

  it("puts a picture nearer to its own text", async () => {
    const [cat, rocket] = (
      await embed(
        jsonPost({ input: ["a photo of a cat", "a photo of a rocket"], model: "starter-clip" }),
      )
    ).data;
    const [picture] = (
      await embed(formPost({ input: fixture("images/cat.jpg"), modality: "image" }))
    ).data;
    const near = cosine(picture.embedding as number[], cat.embedding as number[]);
    expect(near).toBeGreaterThan(
      cosine(picture.embedding as number[], rocket.embedding as number[]) + 0.1,
    );
  });

  it("keeps the two packs' texts in two spaces", async () => {
    const clip = await embed(jsonPost({ input: "a cat", model: "starter-clip" }));
    const clap = await embed(jsonPost({ input: "a cat", model: "starter-clap" }));
    expect(clip.space).not.toBe(clap.space);
  });

  it.each([
    ["no input", { input: [] }, "input"],
    ["another number of dimensions", { input: "x", dimensions: 12 }, "dimensions"],
    ["an unknown format", { input: "x", encoding_format: "hex" }, "encoding_format"],
    ["text as image", { input: "hello world!", modality: "image" }, "input"],
    ["the base64 of a picture", { input: ["x", fixtureBase64("images/cat.jpg")] }, "input[1]"],
    ["a URL", { input: ["x", "https://example.com/cat.jpg"] }, "input[1]"],
    ["a data URI of no kind", { input: ["x", "data:;base64,AAAA"] }, "input[1]"],
    ["a sound as image", { input: ["data:audio/wav;base64,AAAA"], modality: "image" }, "input"],
    ["token ids", { input: [1, 2, 3] }, "input[0]"],
  ])("answers %s with invalid_input", async (_, body, param) => {
    const response = await app.request("/v1/embeddings", jsonPost(body));
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { code: "invalid_input", param } });
  });
});

describe("GET /v1/models", () => {
  it("tells what is loaded and where it really runs", async () => {
    const { data } = (await (await app.request("/v1/models")).json()) as {
      data: { id: string; towers: { provider: string }[] }[];
    };
    expect(data.map(({ id }) => id)).toEqual(["starter-clip", "starter-clap"]);
    for (const { towers } of data) for (const { provider } of towers) expect(provider).toBe("cpu");
  });
});

describe("health and metrics", () => {
  it("is ready once a real inference has succeeded", async () => {
    expect((await app.request("/health/live")).status).toBe(200);
    expect((await app.request("/health/ready")).status).toBe(200);
  });

  it("counts requests and stages", async () => {
    await embed(jsonPost({ input: "count me" }));
    const text = await (await app.request("/metrics")).text();
    expect(text).toMatch(/crossmodal_request_seconds_count\{[^}]*route="\/v1\/embeddings"/);
    expect(text).toMatch(/crossmodal_stage_seconds_count\{stage="inference"\}/);
  });

  it("answers 404 for a route that is not there", async () => {
    const response = await app.request("/v9");
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ error: { code: "not_found" } });
  });
});

describe("who may ask", () => {
  it("refuses another Host or Origin while there are no keys", async () => {
    const foreign = await app.request("/v1/models", { headers: { host: "evil.example" } });
    expect(foreign.status).toBe(403);
    const page = await app.request("/v1/models", { headers: { origin: "https://evil.example" } });
    expect(page.status).toBe(403);
    expect((await app.request("/v1/models", { headers: { host: "127.0.0.1:8080" } })).status).toBe(
      200,
    );
  });
});
