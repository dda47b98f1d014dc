import type { AddressInfo } from "node:net";
import { serve } from "@hono/node-server";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { App } from "../../src/app.js";
import type { Services } from "../../src/services.js";
import { isSame, ownEmbedding } from "../helpers/compat.js";
import { fixture, fixtureBase64 } from "../helpers/fixtures.js";
import { call, eras, newClient } from "../helpers/mcp.js";
import { jsonPost, startApp } from "../helpers/services.js";

let app: App;
let services: Services;
let server: ReturnType<typeof serve>;
let url: string;
async function listen(app: App) {
  const listening = await new Promise<ReturnType<typeof serve>>((resolve) => {
    const options = { fetch: app.fetch, hostname: "127.0.0.1", port: 0 };
    const started = serve(options, () => resolve(started));
  });
  const { port } = listening.address() as AddressInfo;
  return { server: listening, url: `http://127.0.0.1:${port}/mcp` };
}
beforeAll(async () => {
  ({ app, services } = await startApp());
  ({ server, url } = await listen(app));
});
afterAll(async () => {
  server.close();
  await services.close();
});

async function connect(mode: (typeof eras)[number], headers: Record<string, string> = {}) {
  const client = newClient(mode);
  const requestInit = { headers };
  await client.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit }));
  return client;
}

const cat = fixtureBase64("images/cat.jpg");
const initialize = {
  jsonrpc: "2.0",
  id: 1,
  method: "initialize",
  params: {
    protocolVersion: "2025-06-18",
    capabilities: {},
    clientInfo: { name: "test", version: "1" },
  },
};
const post = (headers: Record<string, string>) => {
  const { headers: own, ...init } = jsonPost(initialize);
  const accept = "application/json, text/event-stream";
  return { ...init, headers: { ...(own as object), accept, ...headers } };
};

describe.each(eras)("POST /mcp as the protocol's own client asks (%s)", (era) => {
  it("names tools that say what they take", async () => {
    const client = await connect(era);
    const { tools } = await client.listTools();
    const names = ["add", "classify", "embed", "gap", "list", "search", "similar"];
    expect(tools.map(({ name }) => name).sort()).toEqual(names);
    for (const { name, description, inputSchema, outputSchema, annotations } of tools) {
      expect(description?.length, name).toBeGreaterThan(50);
      expect(inputSchema, name).toMatchObject({ type: "object", additionalProperties: false });
      expect(outputSchema, name).toMatchObject({ type: "object" });
      expect(annotations?.readOnlyHint, name).toBe(name !== "add");
      for (const [field, schema] of Object.entries(inputSchema.properties ?? {}))
        expect((schema as { description?: string }).description, field).toBeDefined();
      expect(JSON.stringify(inputSchema)).not.toContain('"file"');
    }
    await client.close();
  });

  it("adds pictures, finds them by a sentence and shows them", async () => {
    const client = await connect(era);
    const collection = `pictures-${era}`;
    for (const name of ["cat.jpg", "rocket.avif", "coffee.webp"]) {
      const image = fixtureBase64(`images/${name}`);
      const metadata = { kind: name.split(".")[1] };
      const added = await call(client, "add", {
        collection,
        id: name,
        image,
        metadata,
        create: true,
      });
      expect(added.answer).toEqual({ id: name, status: "stored", replaced: false });
    }
    const { answer, media, text } = await call(client, "search", {
      collection,
      text: "a sleeping cat",
      previews: 2,
    });
    expect(answer.results[0]).toMatchObject({ id: "cat.jpg", metadata: { kind: "jpg" } });
    expect(JSON.parse(text)).toEqual(answer);
    expect(media[0]).toEqual({ type: "text", text: "cat.jpg:" });
    expect(media[1]).toMatchObject({ type: "image", mimeType: "image/webp" });
    expect(media).toHaveLength(4);
    const thumbnail = (media[1] as { data: string }).data;
    const seen = await call(client, "classify", { image: thumbnail, labels: ["rocket", "cat"] });
    expect(seen.answer.scores[0].label).toBe("cat");
    const similar = await call(client, "similar", { collection, id: "cat.jpg", previews: 0 });
    expect(similar.answer.results.map(({ id }: { id: string }) => id)).not.toContain("cat.jpg");
    expect(similar.media).toEqual([]);
    const filter = { field: "kind", op: "eq", value: "webp" };
    const filtered = await call(client, "search", { collection, image: cat, filter });
    expect(filtered.answer.results.map(({ id }: { id: string }) => id)).toEqual(["coffee.webp"]);
    await client.close();
  });

  it("shows sounds that a collection keeps, and links to them", async () => {
    const client = await connect(era);
    const collection = `kept-${era}`;
    await app.request(
      "/v1/collections",
      jsonPost({ name: collection, model: "starter-clap", keep_media: true }),
    );
    const audio = fixtureBase64("audio/dog.mp3");
    await call(client, "add", { collection, id: "dog", audio });
    const { media } = await call(client, "search", { collection, text: "a dog barks" });
    expect(media).toEqual([
      { type: "text", text: "dog:" },
      { type: "audio", data: audio, mimeType: "audio/mpeg" },
      {
        type: "resource_link",
        name: "dog",
        uri: expect.stringMatching(`^${new URL(url).origin}/v1/collections/${collection}/items/`),
        mimeType: "audio/mpeg",
        size: fixture("audio/dog.mp3").length,
      },
    ]);
    const { uri } = media[2] as { uri: string };
    const linked = Buffer.from(await (await fetch(uri)).arrayBuffer());
    expect(linked.equals(fixture("audio/dog.mp3"))).toBe(true);
    await client.close();
  });

  it("lists collections, models and items", async () => {
    const client = await connect(era);
    const collection = `texts-${era}`;
    const fields = { collection, text: "a cat", id: "a", create: true, model: "starter-clap" };
    await call(client, "add", fields);
    const { answer } = await call(client, "list", {});
    const about = { name: collection, model: "starter-clap", count: 1 };
    expect(answer.collections).toContainEqual(expect.objectContaining(about));
    expect(answer.models.map(({ id }: { id: string }) => id)).toEqual([
      "starter-clip",
      "starter-clap",
    ]);
    const items = await call(client, "list", { collection, limit: 1 });
    expect(items.answer.items).toMatchObject([{ id: "a", modality: "text" }]);
    await client.close();
  });

  it("embeds like our own route", async () => {
    const client = await connect(era);
    const { answer } = await call(client, "embed", { text: "a cat", model: "starter-clip" });
    expect(answer).toMatchObject({
      space: expect.stringMatching("starter-clip@"),
      dimensions: 384,
    });
    expect(isSame(answer.embedding, await ownEmbedding(app, "a cat"))).toBe(true);
    await client.close();
  });

  it("answers errors in our words, as results that a model can read", async () => {
    const client = await connect(era);
    const wrong: [string, object, RegExp][] = [
      ["search", { collection: "none", text: "x" }, /^not_found: .*"none"/],
      [
        "search",
        { collection: "none", text: "x", topk: 3 },
        /^invalid_input: .*did you mean "top_k"/,
      ],
      ["search", { collection: "none", text: "x", filter: null }, /^invalid_input: "filter"/],
      ["classify", { labels: ["a"] }, /one of text, image, audio but received none/],
      ["classify", { text: "x", image: cat, labels: ["a"] }, /received text and image/],
      ["classify", { image: "no base64!", labels: ["a"] }, /^invalid_input: Expected base64/],
      ["classify", { image: "http://127.0.0.1/a.png", labels: ["a"] }, /^url_refused: /],
      ["embed", { file: "/etc/passwd" }, /^invalid_input: Unknown field "file"/],
      ["embed", { text: "x", model: "none" }, /^model_not_found: /],
      ["add", { collection: "none", text: "x" }, /^not_found: /],
      ["gap", { collection: "none" }, /^not_found: /],
    ];
    for (const [name, args, message] of wrong) {
      const { result, text } = await call(client, name, args);
      expect(result.isError, name).toBe(true);
      expect(text).toMatch(message);
    }
    // Null is how models write what they leave out
    const { result } = await call(client, "embed", { text: "a cat", image: null, model: null });
    expect(result.isError).toBeUndefined();
    await client.close();
  });

  it("measures the gap between two modalities, of pairs too", async () => {
    const client = await connect(era);
    const collection = `pairs-${era}`;
    for (const name of ["cat.jpg", "rocket.avif", "coffee.webp", "horse.png", "moon.gif"]) {
      const [pair] = name.split(".");
      const fields = { collection, metadata: { pair }, create: true };
      await call(client, "add", { ...fields, image: fixtureBase64(`images/${name}`) });
      await call(client, "add", { ...fields, text: `a ${pair}` });
    }
    const { answer } = await call(client, "gap", { collection, pair_by: "pair" });
    expect(answer).toMatchObject({ modalities: { a: "image", b: "text" }, paired: true });
    expect(answer.centroid_gap).toBeGreaterThan(0);
    expect(answer.projection).toBeUndefined();
    await client.close();
  });

  it("gives up work when the call is aborted", async () => {
    const client = await connect(era);
    const abort = new AbortController();
    const labels = Array.from({ length: 900 }, (_, i) => `${era} thing ${i}`);
    const calling = call(client, "classify", { image: cat, labels }, { signal: abort.signal });
    await expect.poll(() => services.budget.units).toBeGreaterThan(0);
    abort.abort(new Error("enough"));
    await expect(calling).rejects.toThrow("enough");
    await expect.poll(() => services.budget.units).toBe(0);
    await client.close();
  });
});

describe("POST /mcp from elsewhere", () => {
  it("is refused to pages of another origin, with keys too", async () => {
    const origin = "http://evil.example";
    expect((await app.request("/mcp", post({ origin }))).status).toBe(403);
    const keyed = await startApp({ models: ["starter-clip"], apiKeys: ["secret"] });
    const ask = async (headers: Record<string, string>) =>
      (await keyed.app.request("/mcp", post({ authorization: "Bearer secret", ...headers })))
        .status;
    expect(await ask({ origin })).toBe(403);
    expect(await ask({ origin: "null" })).toBe(403);
    expect(await ask({ origin: "http://here:8080", host: "here:8080" })).toBe(200);
    expect(await ask({})).toBe(200);
    expect(await ask({ authorization: "Bearer wrong" })).toBe(401);
    await keyed.services.close();
  });

  it("uses the caller's key for what its tools ask", async () => {
    const keyed = await startApp({ models: ["starter-clip"], apiKeys: ["one", "two"] });
    const listening = await listen(keyed.app);
    const headers = { authorization: "Bearer two" };
    const client = newClient();
    const address = new URL(listening.url);
    await client.connect(new StreamableHTTPClientTransport(address, { requestInit: { headers } }));
    expect((await call(client, "list", {})).answer.collections).toEqual([]);
    await client.close();
    const stranger = newClient();
    await expect(stranger.connect(new StreamableHTTPClientTransport(address))).rejects.toThrow();
    listening.server.close();
    await keyed.services.close();
  });

  it("counts what its tools ask for the address that called", async () => {
    const limited = await startApp({ models: ["starter-clip"], requestsPerMinute: 9 });
    const listening = await listen(limited.app);
    const client = newClient();
    await client.connect(new StreamableHTTPClientTransport(new URL(listening.url)));
    const answers = [];
    for (let i = 0; i < 4; i++)
      answers.push(await call(client, "embed", { text: "a cat" }).catch((error: Error) => error));
    expect(answers[0]).toMatchObject({ answer: { dimensions: 384 } });
    const other = await limited.app.request("/v1/models");
    expect(other.status).toBe(200); // from no address
    // A slow test may have one request more to its name meanwhile, not two
    const ask = async () => (await fetch(new URL("/v1/models", listening.url))).status;
    expect([await ask(), await ask()]).toContain(429);
    await client.close().catch(() => undefined);
    listening.server.close();
    await limited.services.close();
  });

  it("refuses what is not a message", async () => {
    const { status } = await app.request("/mcp", jsonPost({ hello: "there" }));
    expect(status).toBe(400);
    expect((await app.request("/mcp")).status).toBe(405);
  });
});
