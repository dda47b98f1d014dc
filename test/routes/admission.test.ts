import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { App } from "../../src/app.js";
import type { Services } from "../../src/services.js";
import { fixture, fixtureBase64 } from "../helpers/fixtures.js";
import { formPost, jsonPost, startApp } from "../helpers/services.js";

let app: App;
let services: Services;

const maxMediaBytes = 24 * 2 ** 20;

beforeAll(async () => {
  ({ app, services } = await startApp({ maxQueued: 64, maxMediaBytes, maxAnswerBytes: 4000 }));
  await app.request("/v1/collections", jsonPost({ name: "c", model: "starter-clip" }));
  const items = Array.from({ length: 60 }, (_, i) => {
    return { id: `t${i}`, text: `thing ${i}`, metadata: { note: i < 3 ? "x".repeat(1500) : "" } };
  });
  await app.request("/v1/collections/c/items", jsonPost({ items }));
});
afterAll(() => services.close());

const cat = fixtureBase64("images/cat.jpg");
const rows = [
  [1, 0],
  [0, 1],
];

/** Fills the server until `end` is called. */
function occupy() {
  let end = () => {};
  const ended = new Promise<void>((resolve) => (end = resolve));
  const one = () => services.budget.request([{ inputs: 1 }], undefined, () => ended);
  const held = Array.from({ length: 48 }, one);
  return async () => {
    end();
    await Promise.all(held);
  };
}

describe("a server that holds many bodies", () => {
  it("refuses another large one before it is read, and takes a small one", async () => {
    const other = services.bodies.request();
    const { maxBodyBytes } = services.config;
    other.add(3 * maxBodyBytes);
    const read = vi.fn(() => new Uint8Array(2 ** 20));
    const body = new ReadableStream<Uint8Array>(
      { pull: (c) => c.enqueue(read()) },
      { highWaterMark: 0 },
    );
    const headers = { "content-type": "application/json", "content-length": `${2 ** 21}` };
    const large = await app.request("/v1/embeddings", {
      method: "POST",
      headers,
      body,
      duplex: "half",
    } as RequestInit);
    expect(large.status).toBe(429);
    expect(Number(large.headers.get("retry-after"))).toBeGreaterThanOrEqual(1);
    expect(read).not.toHaveBeenCalled();
    const small = await app.request("/v1/embeddings", jsonPost({ input: "a" }));
    expect(small.status).toBe(200);
    other.release();
    expect(services.bodies.bytes).toBe(0);
  });
});

describe("a full server", () => {
  it.each([
    [
      "/v1/zero-shot",
      formPost({ image: fixture("images/cat.jpg"), candidate_labels: '["a","b"]' }),
    ],
    ["/v1/embeddings", jsonPost({ input: ["a", "b"] })],
    ["/v1/embeddings", jsonPost({ input: [`data:image/jpeg;base64,${cat}`] })],
    ["/v1/collections/c/items", jsonPost({ items: [{ image: cat }] })],
    ["/v1/collections/c/items", formPost({ image: fixture("images/cat.jpg") })],
    ["/v1/collections/c/search", jsonPost({ image: cat })],
    ["/v1/collections/c/search", jsonPost({ item_id: "t1" })],
    ["/v1/modality-gap", jsonPost({ a: { embeddings: rows }, b: { embeddings: rows } })],
  ])("refuses %s before anything is decoded, and says when to come back", async (path, init) => {
    const free = occupy();
    const decode = vi.spyOn(services.media, "decodeImage");
    const response = await app.request(path, init);
    expect(response.status).toBe(429);
    expect(Number(response.headers.get("retry-after"))).toBeGreaterThanOrEqual(1);
    const { error } = (await response.json()) as { error: { code: string; message: string } };
    expect(error.code).toBe("overloaded");
    expect(error.message).toContain("option maxQueued");
    expect(decode).not.toHaveBeenCalled();
    decode.mockRestore();
    await free();
  });

  it("goes on with streams of items, and answers what needs no model", async () => {
    const free = occupy();
    const lines = await app.request("/v1/collections/c/items", {
      method: "POST",
      headers: { "content-type": "application/x-ndjson" },
      body: `${JSON.stringify({ id: "s0", image: cat })}\n`,
    });
    expect(await lines.text()).toContain('"status":"stored"');
    expect((await app.request("/health/live")).status).toBe(200);
    await free();
    expect(services.budget.units).toBe(0);
  });
});

describe("one large request", () => {
  it("is answered, and refuses nobody beside it", async () => {
    const input = Array.from({ length: 1000 }, (_, i) => `text number ${i} of one large request`);
    const large = app.request("/v1/embeddings", jsonPost({ model: "starter-clip", input }));
    const small = Array.from({ length: 20 }, (_, i) =>
      app.request("/v1/embeddings", jsonPost({ model: "starter-clip", input: `small ${i}` })),
    );
    for (const response of await Promise.all(small)) expect(response.status).toBe(200);
    const response = await large;
    expect(response.status).toBe(200);
    expect(((await response.json()) as { data: unknown[] }).data.length).toBe(1000);
  });

  it("decodes no more of its pictures at once than there is memory for", async () => {
    let most = 0;
    const { decodeImage } = services.media;
    const decode = vi.spyOn(services.media, "decodeImage").mockImplementation((...args) => {
      most = Math.max(most, services.budget.bytes);
      return decodeImage(...args);
    });
    const input = Array.from({ length: 24 }, () => `data:image/jpeg;base64,${cat}`);
    const response = await app.request(
      "/v1/embeddings",
      jsonPost({ model: "starter-clip", input }),
    );
    expect(response.status).toBe(200);
    expect(decode).toHaveBeenCalledTimes(24);
    expect(most).toBeGreaterThan(0);
    expect(most).toBeLessThanOrEqual(maxMediaBytes);
    expect(services.budget.bytes).toBe(0);
    decode.mockRestore();
  });

  it("begins no more of its pictures once one of them cannot be decoded", async () => {
    const decode = vi.spyOn(services.media, "decodeImage");
    const input = Array.from({ length: 400 }, (_, i) =>
      i === 0 ? "data:image/png;base64,AAAA" : `data:image/jpeg;base64,${cat}`,
    );
    const response = await app.request(
      "/v1/embeddings",
      jsonPost({ model: "starter-clip", input }),
    );
    expect(response.status).toBe(415);
    expect(decode.mock.calls.length).toBeLessThan(400);
    decode.mockRestore();
  });
});

describe("an answer that would be too large", () => {
  const search = async (body: object) => {
    const response = await app.request("/v1/collections/c/search", jsonPost(body));
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };
  const tooLarge = {
    status: 413,
    body: { error: { code: "too_large", message: expect.stringContaining("maxAnswerBytes") } },
  };

  it("is refused before the search when not even the smallest results would fit", async () => {
    const spy = vi.spyOn(services.packs.find("starter-clip").encoders.text!, "encode");
    const queries = Array.from({ length: 50 }, (_, i) => ({ text: `query ${i}` }));
    expect(await search({ queries, top_k: 10_000 })).toMatchObject(tooLarge);
    expect(spy).not.toHaveBeenCalled();
    spy.mockRestore();
  });

  it("is refused when the metadata makes it so, for one query or several together", async () => {
    expect(await search({ item_id: "t0", top_k: 2 })).toMatchObject({ status: 200 });
    const heavy = { field: "note", op: "contains", value: "x" };
    expect(await search({ item_id: "t9", top_k: 3, filter: heavy })).toMatchObject(tooLarge);
    const queries = [{ item_id: "t9" }, { item_id: "t8" }, { item_id: "t7" }];
    expect(await search({ queries, top_k: 1, filter: heavy })).toMatchObject(tooLarge);
    expect(await search({ queries, top_k: 1 })).toMatchObject({ status: 200 });
  });

  it("is refused of a timeline before the sound is decoded", async () => {
    const decode = vi.spyOn(services.media, "decodeAudio");
    const form = (labels: string[]) => {
      const candidate_labels = JSON.stringify(labels);
      return formPost({ audio: fixture("audio/scene.opus"), timeline: "true", candidate_labels });
    };
    const labels = Array.from({ length: 90 }, (_, i) => `label ${i}`);
    const response = await app.request("/v1/zero-shot", form(labels));
    expect({ status: response.status, body: await response.json() }).toMatchObject(tooLarge);
    expect(decode).not.toHaveBeenCalled();
    decode.mockRestore();
    expect((await app.request("/v1/zero-shot", form(["rain", "dog"]))).status).toBe(200);
  });
});

describe("a full server, for clients of other products", () => {
  const texts = Array.from({ length: 200 }, (_, i) => `nothing asked before, ${i}`);
  it.each<[string, string, object]>([
    ["Cohere", "/v2/embed", { model: "starter-clip", input_type: "search_query", texts }],
    ["Infinity", "/embeddings", { model: "starter-clip", input: texts }],
    ["Ollama", "/api/embed", { model: "starter-clip", input: texts }],
    ["TEI", "/embed", { inputs: texts }],
    ["Weaviate", "/vectorize", { texts, images: [] }],
  ])("refuses %s's clients at %s as our own, with when to come back", async (_, path, body) => {
    const release = occupy();
    const response = await app.request(path, jsonPost(body));
    await release();
    expect(response.status).toBe(429);
    expect(Number(response.headers.get("retry-after"))).toBeGreaterThanOrEqual(1);
  });
});
