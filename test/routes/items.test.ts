import { createHash } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { App } from "../../src/app.js";
import type { Services } from "../../src/services.js";
import type { ItemsPatched } from "../../src/wire/items.js";
import { fixture, fixtureBase64 } from "../helpers/fixtures.js";
import { formPost, jsonPost, startApp } from "../helpers/services.js";

let app: App;
let services: Services;
beforeAll(async () => {
  ({ app, services } = await startApp({ maxBodyBytes: 2 ** 20 }));
});
afterAll(() => services.close());

let number = 0;
let name: string;
/** A fresh collection of plain three-dimensional vectors. */
beforeEach(async () => {
  name = `vectors-${number++}`;
  await app.request(
    "/v1/collections",
    jsonPost({ name, space: "plain", dimensions: 3, fields: ["n"] }),
  );
});

interface Status {
  id: string | null;
  status: string;
  replaced?: boolean;
  line?: number;
  error?: { code: string; param: string | null };
}
const codeOf = async (response: Response) =>
  ((await response.json()) as { error: { code: string } }).error.code;

const items = (path = "", init?: RequestInit) =>
  app.request(`/v1/collections/${name}/items${path}`, init);
const vector = (id: string, n: number) => ({
  id,
  embedding: [0, 0.6, 0.8],
  modality: "image",
  metadata: { n },
});

/** Sends lines as a stream and reads the statuses. */
async function stream(lines: Iterable<string> | AsyncIterable<string>): Promise<Status[]> {
  const source = (async function* () {
    for await (const line of lines) yield new TextEncoder().encode(line);
  })();
  const headers = { "content-type": "application/x-ndjson" };
  const body = ReadableStream.from(source);
  const response = await items("", {
    method: "POST",
    headers,
    body,
    duplex: "half",
  } as RequestInit);
  expect(response.status).toBe(200);
  expect(response.headers.get("content-type")).toBe("application/x-ndjson");
  const text = await response.text();
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));
}

const withCollection = async (model: string) => {
  name = `${model}-${number++}`;
  await app.request("/v1/collections", jsonPost({ name, model }));
};

describe("POST /v1/collections/{name}/items", () => {
  it("adds one picture from a form, with its hash", async () => {
    await withCollection("starter-clip");
    const { space } = await services.store.stats(name);
    const cat = fixture("images/cat.jpg");
    const form = () =>
      formPost({ image: cat, id: "cat-1", metadata: '{"year": 2021}', source: "cat.jpg" });
    const response = await items("", form());
    expect(response.status).toBe(201);
    expect(await response.json()).toEqual({
      id: "cat-1",
      status: "stored",
      replaced: false,
      space,
    });
    expect(await (await items("", form())).json()).toMatchObject({ replaced: true });
    const [stored] = await services.store.get(name, ["cat-1"]);
    expect(stored).toMatchObject({
      modality: "image",
      metadata: { year: 2021 },
      source: "cat.jpg",
    });
    expect(stored.contentHash).toBe(createHash("sha256").update(cat).digest("hex"));
    const pack = services.packs.find("starter-clip");
    const decoded = await services.media.decodeImage(cat, { maxPixels: 1e8 });
    expect(stored.embedding).toEqual((await pack.encoders.image!.encode([decoded]))[0]);
  });

  it("answers a bad form with the item's own error and status", async () => {
    await withCollection("starter-clip");
    const broken = await items(
      "",
      formPost({ image: fixture("images/cat.jpg").slice(0, 3000), id: "cat" }),
    );
    expect([broken.status, await codeOf(broken)]).toEqual([422, "undecodable_media"]);
    const sound = await items("", formPost({ image: fixture("audio/cow.ogg") }));
    expect([sound.status, await codeOf(sound)]).toEqual([415, "unsupported_media"]);
    const none = await items("", formPost({ id: "cat" }));
    expect(await none.json()).toMatchObject({ error: { code: "invalid_input", param: "text" } });
    name = "nowhere";
    expect((await items("", formPost({ text: "a cat" }))).status).toBe(404);
  });

  it("adds one item from a JSON object, as from a form", async () => {
    await withCollection("starter-clip");
    const response = await items("", jsonPost({ id: "one", text: "a cat" }));
    expect([response.status, await response.json()]).toEqual([
      201,
      expect.objectContaining({ id: "one", status: "stored", replaced: false }),
    ]);
    const unknown = await items("", jsonPost({ id: "one", txt: "a cat" }));
    expect([unknown.status, await unknown.json()]).toMatchObject([
      400,
      { error: { param: "txt" } },
    ]);
  });

  it("adds texts, pictures, sounds and vectors in one body; a failing one stops no other", async () => {
    await withCollection("starter-clap");
    const { dimensions } = await services.store.stats(name);
    const unit = Array.from({ length: dimensions }, (_, i) => (i === 7 ? 1 : 0));
    const response = await items(
      "",
      jsonPost({
        items: [
          { id: "text", text: "rain on a roof" },
          { id: "rain", audio: fixtureBase64("audio/rain.ogg"), metadata: { wet: true } },
          { id: "broken", audio: "AAAA" },
          { id: "vector", embedding: unit, modality: "audio" },
          { id: "short", embedding: [1], modality: "audio" },
          { id: "long", embedding: unit.map((x) => 2 * x), modality: "audio" },
          { id: "two", text: "a", audio: "AAAA" },
          { id: "colour", text: "a", colour: "red" },
          { text: "no id" },
          5,
          { id: "other", embedding: unit, modality: "audio", space: "elsewhere@1" },
        ],
      }),
    );
    expect(response.status).toBe(200);
    const { statuses, stored, failed } = (await response.json()) as {
      statuses: Status[];
      stored: number;
      failed: number;
    };
    const summary = statuses.map((status) => [
      status.id,
      status.error?.code ?? status.status,
      status.error?.param ?? null,
    ]);
    expect(summary).toEqual([
      ["text", "stored", null],
      ["rain", "stored", null],
      ["broken", "unsupported_media", "audio"],
      ["vector", "stored", null],
      ["short", "invalid_input", "embedding"],
      ["long", "invalid_input", "embedding"],
      ["two", "invalid_input", "audio"],
      ["colour", "invalid_input", "colour"],
      [createHash("sha256").update("no id").digest("hex"), "stored", null],
      [null, "invalid_input", null],
      ["other", "space_mismatch", "space"],
    ]);
    expect([stored, failed]).toEqual([4, 7]);
    expect(await services.store.stats(name)).toMatchObject({
      count: 4,
      countByModality: { text: 2, audio: 2 },
    });
  });

  it("adds a sound to a picture collection over the bridge, and keeps its original embedding", async () => {
    await withCollection("starter-clip");
    await items("", formPost({ audio: fixture("audio/cow.ogg"), id: "cow" }));
    const [{ modality, embedding, original }] = await services.store.get(name, ["cow"]);
    const clap = services.packs.find("starter-clap");
    const decoded = await services.media.decodeAudio(fixture("audio/cow.ogg"), { maxSeconds: 60 });
    const [own] = await clap.encoders.audio!.encode([decoded]);
    expect(modality).toBe("audio");
    expect(original).toEqual({ space: clap.space, embedding: own });
    expect(embedding).not.toEqual(own);
  });

  it("uses the content hash as default id, so that adding a file again changes nothing", async () => {
    await withCollection("starter-clip");
    const add = async () =>
      (await (await items("", formPost({ image: fixture("images/cat.jpg") }))).json()) as Status;
    const first = await add();
    expect(first.id).toMatch(/^[0-9a-f]{64}$/);
    expect(await add()).toEqual({ ...first, replaced: true });
    expect((await services.store.stats(name)).count).toBe(1);
  });

  it("takes the last of two items with one id, in one body or over a stream", async () => {
    await items("", jsonPost({ items: [vector("a", 1), vector("a", 2)] }));
    expect(await services.store.get(name, ["a"])).toMatchObject([{ metadata: { n: 2 } }]);
    const lines = Array.from({ length: 1000 }, (_, i) => `${JSON.stringify(vector("a", i))}\n`);
    const statuses = await stream(lines);
    expect(statuses.filter(({ replaced }) => replaced)).toHaveLength(1000);
    expect(await services.store.get(name, ["a"])).toMatchObject([{ metadata: { n: 999 } }]);
  });

  it("lets two streams write the same ids: each gets its statuses and one of them wins", async () => {
    const lines = (n: number) =>
      Array.from({ length: 300 }, (_, i) => `${JSON.stringify(vector(`item-${i}`, n))}\n`);
    const both = await Promise.all([stream(lines(1)), stream(lines(2))]);
    for (const statuses of both)
      expect(statuses.every(({ status }) => status === "stored")).toBe(true);
    const stored = await services.store.get(
      name,
      lines(1).map((_, i) => `item-${i}`),
    );
    expect(stored).toHaveLength(300);
    expect(both.flat().filter(({ replaced }) => !replaced)).toHaveLength(300);
    expect(stored.every(({ metadata }) => metadata.n === 1 || metadata.n === 2)).toBe(true);
  });
});

describe("POST /v1/collections/{name}/items with application/x-ndjson", () => {
  it("answers one status a line in order, with a reason for each line it cannot read", async () => {
    const line = (item: unknown) => `${JSON.stringify(item)}\n`;
    const statuses = await stream([
      line(vector("a", 1)),
      "\n",
      '{"id": "cut", "embedding": [0, 0.6\n',
      line({ ...vector("nan", 2), embedding: [0, null, 1] }),
      line({ ...vector("huge", 2), embedding: [0, 1e300, 1] }),
      `{"id": "long", "text": "${"x".repeat(2 ** 20)}"}\n`,
      line({
        ...vector("base64", 3),
        embedding: undefined,
        embedding_base64: base64([0.6, 0, 0.8]),
      }),
      line({ ...vector("bad-base64", 3), embedding: undefined, embedding_base64: "AAA=" }),
      line({ id: "text", text: "no model embeds into this space" }),
      '{"id": "b", "embedding": [1, 0, ',
      '0], "modality": "text"}', // no newline at the end
    ]);
    expect(statuses.map(({ id, status, line, error }) => [id, status, error?.code, line])).toEqual([
      ["a", "stored", undefined, undefined],
      [null, "failed", "invalid_input", 3],
      ["nan", "failed", "invalid_input", 4],
      ["huge", "failed", "invalid_input", 5],
      [null, "failed", "too_large", 6],
      ["base64", "stored", undefined, undefined],
      ["bad-base64", "failed", "invalid_input", 8],
      ["text", "failed", "space_mismatch", 9],
      ["b", "stored", undefined, undefined],
    ]);
    expect((await services.store.get(name, ["base64"]))[0].embedding).toEqual(
      Float32Array.of(0.6, 0, 0.8),
    );
  });

  it("is longer than the largest body, and each status comes once its item is stored", async () => {
    const count = 5000; // 1.5 MB of lines; the body limit is 1 MB
    const lines = Array.from({ length: count }, (_, i) => {
      const metadata = { n: i, note: "x".repeat(200) };
      return `${JSON.stringify({ ...vector(`item-${i}`, i), metadata })}\n`;
    });
    const statuses = await stream(lines);
    expect(statuses.map(({ id }) => id)).toEqual(lines.map((_, i) => `item-${i}`));
    expect(await services.store.count(name)).toBe(count);
  });

  it("answers a line before the next one is sent", async () => {
    let push: (line: string | undefined) => void = () => {};
    const lines = (async function* () {
      while (true) {
        const line = await new Promise<string | undefined>((resolve) => (push = resolve));
        if (line === undefined) return;
        yield new TextEncoder().encode(line);
      }
    })();
    const headers = { "content-type": "application/x-ndjson" };
    const request = {
      method: "POST",
      headers,
      body: ReadableStream.from(lines),
      duplex: "half",
    } as RequestInit;
    const response = await items("", request);
    const reader = response.body!.getReader();
    for (const id of ["a", "b", "c"]) {
      await new Promise((resolve) => setTimeout(resolve, 1));
      push(`${JSON.stringify(vector(id, 1))}\n`);
      const { value } = await reader.read();
      expect(JSON.parse(new TextDecoder().decode(value))).toMatchObject({ id, status: "stored" });
      expect(await services.store.get(name, [id])).toHaveLength(1);
    }
    push(undefined);
    expect(await reader.read()).toMatchObject({ done: true });
  });

  it("answers 404 without reading when there is no such collection", async () => {
    name = "nowhere";
    const headers = { "content-type": "application/x-ndjson" };
    expect((await items("", { method: "POST", headers, body: "{}\n" })).status).toBe(404);
  });

  it("answers each remaining line with not_found when the collection is deleted meanwhile", async () => {
    const lines = (async function* () {
      yield `${JSON.stringify(vector("a", 1))}\n`;
      while ((await services.store.count(name)) === 0)
        await new Promise((resolve) => setTimeout(resolve, 1));
      await services.store.dropCollection(name);
      yield `${JSON.stringify(vector("b", 1))}\n`;
    })();
    expect(await stream(lines)).toMatchObject([
      { id: "a", status: "stored" },
      { id: "b", status: "failed", error: { code: "not_found" } },
    ]);
  });
});

describe("/v1/collections/{name}/items", () => {
  const some = Array.from({ length: 25 }, (_, i) => ({
    ...vector(`dir/item ${i}.jpg`, i),
    modality: i % 2 === 0 ? "image" : "audio",
    source: `/photos/${i}.jpg`,
    content_hash: `hash-${i}`,
  }));
  beforeEach(() => items("", jsonPost({ items: some })));
  const path = (id: string) => `/${encodeURIComponent(id)}`;

  it("lists items oldest first, in pages, by modality and filter, with embeddings on request", async () => {
    const list = async (query: string) =>
      (await (await items(query)).json()) as {
        data: { id: string; embedding?: number[] }[];
        next_cursor?: string;
      };
    const ids: string[] = [];
    let after = "";
    do {
      const page = await list(`?limit=10${after}`);
      ids.push(...page.data.map(({ id }) => id));
      after = page.next_cursor === undefined ? "" : `&after=${page.next_cursor}`;
    } while (after !== "");
    expect(ids).toEqual(some.map(({ id }) => id));
    const { id, modality, metadata, source, content_hash } = some[0];
    expect((await list("?limit=1")).data).toEqual([
      { id, modality, metadata, source, content_hash, added_at: expect.any(String) },
    ]);
    const item = encodeURIComponent('{"item":"source","op":"prefix","value":"/photos/2"}');
    expect((await list(`?filter=${item}`)).data).toHaveLength(6);
    const filter = encodeURIComponent('{"field":"n","op":"lt","value":5}');
    const filtered = await list(`?modality=audio&filter=${filter}&include=embedding`);
    expect(filtered.data.map((item) => item.id)).toEqual([some[1].id, some[3].id]);
    expect(filtered.data[0].embedding).toEqual(Array.from(Float32Array.of(0, 0.6, 0.8)));
    for (const [query, param] of [
      ["?limit=0", "limit"],
      ["?after=!", "after"],
      ["?filter=n", "filter"],
      ["?filter={}", "filter.field"],
      ["?colour=red", "colour"],
      ["?include=all", "include"],
    ]) {
      const response = await items(query);
      expect([response.status, await response.json()], query).toMatchObject([
        400,
        { error: { param } },
      ]);
    }
  });

  it("looks one up and deletes it, whatever characters its id has", async () => {
    const { id } = some[3];
    expect(await (await items(path(id))).json()).toMatchObject({
      id,
      modality: "audio",
      metadata: { n: 3 },
    });
    expect(await (await items(`${path(id)}?include=embedding`)).json()).toHaveProperty("embedding");
    expect(await (await items(path(id), { method: "DELETE" })).json()).toEqual({
      id,
      deleted: true,
    });
    for (const init of [{}, { method: "DELETE" }]) {
      const gone = await items(path(id), init);
      expect([gone.status, await codeOf(gone)]).toEqual([404, "not_found"]);
    }
    expect((await items(`${path(id)}/preview`)).status).toBe(404);
  });

  it("deletes by ids or by filter, and says how many", async () => {
    const remove = async (body: object) => (await items("/delete", jsonPost(body))).json();
    expect(await remove({ ids: [some[0].id, "nothing", some[1].id] })).toEqual({ deleted: 2 });
    expect(await remove({ filter: { field: "n", op: "gte", value: 20 } })).toEqual({ deleted: 5 });
    expect((await services.store.stats(name)).count).toBe(18);
    expect(await remove({})).toMatchObject({ error: { param: "ids" } });
    expect(await remove({ ids: [], filter: {} })).toMatchObject({ error: { param: "ids" } });
    expect(await remove({ filter: {} })).toMatchObject({ error: { param: "filter.field" } });
  });

  it("changes the metadata of one item, merged or in their place", async () => {
    const { id } = some[3];
    const patch = async (body: object, of = id) => {
      const response = await items(path(of), { ...jsonPost(body), method: "PATCH" });
      return { status: response.status, ...((await response.json()) as object) };
    };
    expect(await patch({ metadata: { price: 5, n: null } })).toMatchObject({
      status: 200,
      id,
      metadata: { price: 5 },
    });
    expect(await patch({ metadata: { a: null }, replace: true })).toMatchObject({
      metadata: { a: null },
    });
    const tooDeep = JSON.parse(`${'{"a":'.repeat(120)}1${"}".repeat(120)}`) as object;
    expect(await patch({ metadata: tooDeep })).toMatchObject({ error: { param: "metadata" } });
    expect(await patch({ add: { tags: ["x"] } })).toMatchObject({
      metadata: { a: null, tags: ["x"] },
    });
    expect(await patch({ add: { a: ["y"] }, remove: { tags: ["x"] } })).toMatchObject({
      metadata: { a: ["y"] },
    });
    expect(await patch({ add: { tags: "x" } })).toMatchObject({ error: { param: "add.tags" } });
    for (const key of ["metadata", "add", "remove"])
      expect(await patch({ [key]: null })).toMatchObject({ status: 400, error: { param: key } });
    expect(await patch({})).toMatchObject({ status: 400, error: { param: "metadata" } });
    expect(await patch({ metadata: {} }, "nothing")).toMatchObject({ status: 404 });
  });

  it("changes the metadata of many, by ids, by a filter or each its own", async () => {
    const patch = async (body: object) =>
      (await items("", { ...jsonPost(body), method: "PATCH" })).json();
    const done = { updated: 0, unchanged: 0, missing: [], failed: [] };
    const metadata = { tag: "x" };
    expect(await patch({ ids: [some[0].id, "nothing"], metadata })).toEqual({
      ...done,
      updated: 1,
      missing: ["nothing"],
    });
    const filter = { item: "modality", op: "eq", value: "image" };
    expect(await patch({ filter, metadata })).toEqual({ ...done, updated: 12, unchanged: 1 });
    // `tag` is a text by now
    const failing = (await patch({ filter, add: { tag: ["y"] } })) as ItemsPatched;
    expect(failing).toMatchObject({ ...done, failed: { length: 13 } });
    expect(failing.failed[0].error).toMatchObject({ code: "invalid_input", param: "add.tag" });
    const own = [1, 3].map((n) => ({ id: some[n].id, metadata: { n: n * 10 } }));
    expect(await patch({ items: own })).toEqual({ ...done, updated: 2, unchanged_ids: [] });
    expect((await services.store.get(name, [some[3].id]))[0].metadata).toEqual({ n: 30 });
    for (const [body, param] of [
      [{ metadata }, "ids"],
      [{ ids: [], filter, metadata }, "filter"],
      [{ filter: null, metadata }, "filter"],
      [{ ids: [] }, "metadata"],
      [{ items: own, add: { tags: ["x"] } }, "add"],
      [{ items: [{ id: "a" }] }, "metadata"],
      [{ items: own, metadata }, "metadata"],
    ] as const)
      expect(await patch(body)).toMatchObject({ error: { param } });
  });

  it("tells the content hashes of items that are there, for skipping unchanged files", async () => {
    const response = await items("/hashes", jsonPost({ ids: [some[2].id, "nothing"] }));
    expect(await response.json()).toEqual({ hashes: { [some[2].id]: "hash-2" } });
  });

  it("exports lines that make the same collection again, as numbers and as base64", async () => {
    const original = { space: "before@1", embedding: [1, 0] };
    const text = { ...vector("text", 2), modality: "text", text: "two cats" };
    await items("", jsonPost({ items: [{ ...vector("with original", 1), original }, text] }));
    const before = await services.store.page(name, { limit: 1000 });
    for (const format of ["float", "base64"]) {
      const exported = await app.request(
        `/v1/collections/${name}/export?encoding_format=${format}`,
      );
      expect(exported.headers.get("content-type")).toBe("application/x-ndjson");
      const body = await exported.text();
      expect(body.split("\n")).toHaveLength(some.length + 3);
      await services.store.createCollection({
        name: `${name}-${format}`,
        space: "plain",
        dimensions: 3,
      });
      const headers = { "content-type": "application/x-ndjson" };
      const lines = { method: "POST", headers, body };
      await (await app.request(`/v1/collections/${name}-${format}/items`, lines)).text();
      expect((await services.store.page(`${name}-${format}`, { limit: 1000 })).items).toEqual(
        before.items,
      );
    }
    expect((await app.request("/v1/collections/nowhere/export")).status).toBe(404);
  });
});

describe("GET /v1/collections/{name}/items/{id}/preview", () => {
  const add = () =>
    items(
      "",
      jsonPost({
        items: [
          { id: "cat", image: fixtureBase64("images/cat.jpg") },
          { id: "cow", audio: fixtureBase64("audio/cow.ogg") },
          { id: "text", text: `a cat ${"and another ".repeat(300)}` },
          { id: "vector", modality: "image", embedding_base64: unit384 },
        ],
      }),
    );
  const unit384 = base64(Array.from({ length: 384 }, (_, i) => (i === 0 ? 1 : 0)));
  const preview = (id: string) => items(`/${id}/preview`);

  it("is a thumbnail of a picture, the waveform of a sound, the beginning of a text", async () => {
    await withCollection("starter-clip");
    expect(await (await add()).json()).toMatchObject({ stored: 4 });
    const types = await Promise.all(
      ["cat", "cow", "text"].map(async (id) => (await preview(id)).headers.get("content-type")),
    );
    expect(types).toEqual(["image/webp", "image/svg+xml", "text/plain; charset=utf-8"]);
    const cat = await preview("cat");
    expect(cat.headers.get("content-security-policy")).toContain("sandbox");
    expect(new Uint8Array(await cat.arrayBuffer()).slice(8, 12)).toEqual(
      new TextEncoder().encode("WEBP"),
    );
    expect(await (await preview("cow")).text()).toMatch(/^<svg/);
    expect(await (await preview("text")).text()).toHaveLength(2000);
    expect((await preview("vector")).status).toBe(404);
  });

  it("comes with the picture or sound itself where the collection keeps media", async () => {
    name = `kept-${number++}`;
    const body = { name, model: "starter-clip", keep_media: true };
    await app.request("/v1/collections", jsonPost(body));
    await add();
    for (const [id, file] of [
      ["cat", "images/cat.jpg"],
      ["cow", "audio/cow.ogg"],
    ]) {
      const kept = await (await items(`/${id}/media`)).arrayBuffer();
      expect(Buffer.from(kept).toString("base64") === fixtureBase64(file)).toBe(true);
    }
    for (const id of ["text", "vector"]) expect((await items(`/${id}/media`)).status).toBe(404);
  });

  it("is not kept in a collection without previews", async () => {
    name = `bare-${number++}`;
    const created = await app.request(
      "/v1/collections",
      jsonPost({ name, model: "starter-clip", previews: false }),
    );
    expect(await created.json()).toMatchObject({ previews: false });
    await add();
    for (const id of ["cat", "cow", "text"]) expect((await preview(id)).status).toBe(404);
  });
});

function base64(numbers: number[]): string {
  return Buffer.from(Float32Array.from(numbers).buffer).toString("base64");
}
