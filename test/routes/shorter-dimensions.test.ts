import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { App } from "../../src/app.js";
import type { Services } from "../../src/services.js";
import { ask, isSame } from "../helpers/compat.js";
import { fakeApp } from "../helpers/fake-app.js";
import { fakeEmbedding, fakePack } from "../helpers/fake-packs.js";

const nested = fakePack("nested", 16);
nested.manifest.shorterDimensions = [4, 8];
const rigid = fakePack("rigid", 16);
const long = fakePack("vit-b-32__openai", 768);
long.manifest.shorterDimensions = { min: 32 };

let app: App;
let services: Services;
beforeAll(async () => {
  ({ app, services } = await fakeApp([nested, rigid, long]));
});
afterAll(() => services.close());

/** As numpy does it: x[:8] / norm(x[:8]). */
function expected(text: string): number[] {
  const start = [...fakeEmbedding(text, 16)].slice(0, 8);
  const length = Math.sqrt(start.reduce((sum, value) => sum + value * value, 0));
  return start.map((value) => value / length);
}

type Body = Record<string, unknown>;
interface List {
  data: { embedding: number[] }[];
}
const fromList = (body: unknown) => (body as List).data[0].embedding;
const about = (model: string, dimensions: number) => ({ model, dimensions });
const message = (text: string) => [{ role: "user", content: [{ type: "text", text }] }];

/** Each client's shape: its path, its body, and where the embedding is in the answer. */
const shapes: [string, string, (model: string, n: number) => Body, (body: never) => number[]][] = [
  ["ours", "/v1/embeddings", (m, n) => ({ input: "a cat", ...about(m, n) }), fromList],
  ["vLLM", "/v1/embeddings", (m, n) => ({ messages: message("a cat"), ...about(m, n) }), fromList],
  ["Infinity", "/embeddings", (m, n) => ({ input: ["a cat"], ...about(m, n) }), fromList],
  ["Jina", "/v1/embeddings", (m, n) => ({ input: [{ text: "a cat" }], ...about(m, n) }), fromList],
  [
    "Cohere",
    "/v2/embed",
    (model, output_dimension) => ({ texts: ["a cat"], model, output_dimension }),
    (body: { embeddings: { float: number[][] } }) => body.embeddings.float[0],
  ],
  [
    "Voyage",
    "/v1/multimodalembeddings",
    (model, output_dimension) => ({
      inputs: [{ content: [{ type: "text", text: "a cat" }] }],
      model,
      output_dimension,
    }),
    fromList,
  ],
  [
    "Ollama",
    "/api/embed",
    (m, n) => ({ input: "a cat", ...about(m, n) }),
    (body: { embeddings: number[][] }) => body.embeddings[0],
  ],
  [
    "Hugging Face",
    "/hf/MODEL",
    (_, dimensions) => ({ inputs: "a cat", dimensions }),
    (body: number[][]) => body[0],
  ],
];

describe("dimensions", () => {
  it.each(shapes)("cuts what the manifest allows: %s", async (_, path, body, embedding) => {
    const at = path.replace("MODEL", "nested");
    const answer = await ask<never>(app, at, body("nested", 8));
    expect(answer.status).toBe(200);
    expect(embedding(answer.body).length).toBe(8);
    expect(isSame(embedding(answer.body), expected("a cat"))).toBe(true);
  });

  it.each(shapes)("refuses the rest and says what is allowed: %s", async (_, path, body) => {
    for (const [model, n, named] of [
      ["rigid", 8, "none"],
      ["nested", 5, "4, 8"],
    ] as const) {
      const answer = await ask(app, path.replace("MODEL", model), body(model, n));
      expect(answer.status).toBe(400);
      expect(JSON.stringify(answer.body)).toContain(`shorter ones: ${named}`);
    }
  });

  // Its server has one model, the first
  it("is TEI's too, in its error form", async () => {
    const { body } = await ask<number[][]>(app, "/embed", { inputs: "a cat", dimensions: 8 });
    expect(isSame(body[0], expected("a cat"))).toBe(true);
    const refused = await ask(app, "/embed", { inputs: "a cat", dimensions: 5 });
    expect(refused.status).toBe(422);
    expect(refused.body).toMatchObject({ error_type: "Validation" });
  });

  it("cuts the mean of several parts, not its parts", async () => {
    const content = ["a cat", "at night"].map((text) => ({ type: "text", text }));
    const body = { messages: [{ role: "user", content }], ...about("nested", 8) };
    const answer = await ask<List>(app, "/v1/embeddings", body);
    const [a, b] = ["a cat", "at night"].map((text) => fakeEmbedding(text, 16));
    const mean = [...a].map((value, i) => value + b[i]).slice(0, 8);
    expect(isSame(fromList(answer.body), mean)).toBe(true);
  });

  // Models that were added from Immich's folders have its names in lower case
  it("fills Immich's columns from a longer model that may be cut", async () => {
    const form = new FormData();
    const modelName = "ViT-B-32__openai";
    form.append("entries", JSON.stringify({ clip: { textual: { modelName } } }));
    form.append("text", "a cat");
    const response = await app.request("/predict", { method: "POST", body: form });
    const { clip } = (await response.json()) as { clip: string };
    expect((JSON.parse(clip) as number[]).length).toBe(512);
    expect(isSame(JSON.parse(clip), fakeEmbedding("a cat", 768).slice(0, 512))).toBe(true);
  });

  it("names a space of their own", async () => {
    const ask8 = { input: "a cat", ...about("nested", 8) };
    expect((await ask(app, "/v1/embeddings", ask8)).body).toMatchObject({ space: "nested@1:8" });
  });

  it("keeps collections whole: a shorter one is refused, and so are its vectors", async () => {
    const collection = { name: "short", model: "nested" };
    const short = await ask(app, "/v1/collections", { ...collection, dimensions: 8 });
    expect(short.status).toBe(400);
    expect(short.body).toMatchObject({
      error: { param: "dimensions", message: expect.stringContaining('give "space"') },
    });
    expect((await ask(app, "/v1/collections", collection)).status).toBe(201);
    const item = { id: "a", embedding: expected("a cat"), modality: "text" };
    const added = await ask(app, "/v1/collections/short/items", item);
    expect(added.status).toBe(400);
    expect(added.body).toMatchObject({ error: { message: expect.stringContaining("16") } });
    const search = { embedding: expected("a cat"), modality: "text" };
    expect((await ask(app, "/v1/collections/short/search", search)).status).toBe(400);
  });
});
