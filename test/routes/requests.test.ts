import { randomBytes } from "node:crypto";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { App } from "../../src/app.js";
import type { Services } from "../../src/services.js";
import { jsonPost, startApp } from "../helpers/services.js";

let app: App;
let services: Services;
const maxBodyBytes = 4_000_000;

beforeAll(async () => {
  ({ app, services } = await startApp({ models: ["starter-clip"], maxBodyBytes }));
  await app.request("/v1/collections", jsonPost({ name: "c", space: "s@1", dimensions: 2 }));
}, 60_000);
afterAll(() => services.close());

const items = "/v1/collections/c/items";
const item = (id: string, metadata: unknown = {}) => ({
  id,
  embedding: [1, 0],
  modality: "text",
  metadata,
});
const send = async (path: string, init: RequestInit) => {
  const response = await app.request(path, init);
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    body: text === "" ? undefined : JSON.parse(text),
  };
};
const raw = (
  body: RequestInit["body"],
  headers: Record<string, string> = { "content-type": "application/json" },
): RequestInit => ({
  method: "POST",
  body,
  headers,
});

describe("bodies", () => {
  it.each([
    "application/json",
    "APPLICATION/JSON",
    "application/json; charset=UTF-8",
    'application/json;charset="utf8"',
    "application/vnd.api+json",
  ])("takes JSON as %s", async (type) => {
    expect(
      (await send(`${items}/hashes`, raw('\ufeff{"ids":[]}', { "content-type": type }))).status,
    ).toBe(200);
  });

  it.each([
    ["text/plain", 415],
    ["application/x-www-form-urlencoded", 415],
    ["application/json; charset=utf-16", 415],
    ["application/x-ndjson", 415],
  ])("refuses JSON as %s", async (type, status) => {
    expect(
      (await send(`${items}/hashes`, raw('{"ids":[]}', { "content-type": type }))).status,
    ).toBe(status);
  });

  it("refuses bytes that are not UTF-8, and never mends them", async () => {
    const latin1 = Buffer.from('{"ids":["caf\u00e9"]}', "latin1");
    const { status, body } = await send(`${items}/hashes`, raw(latin1));
    expect([status, body.error.message]).toEqual([400, "The body is not valid UTF-8"]);
  });

  it("decompresses gzip and deflate within the limit, and names any other encoding", async () => {
    const encoded = (bytes: Uint8Array, encoding: string) =>
      send(
        `${items}/hashes`,
        raw(Uint8Array.from(bytes), {
          "content-type": "application/json",
          "content-encoding": encoding,
        }),
      );
    expect((await encoded(gzipSync('{"ids":[]}'), "gzip")).status).toBe(200);
    expect((await encoded(gzipSync(" ".repeat(maxBodyBytes + 1)), "GZIP")).status).toBe(413);
    expect((await encoded(gzipSync('{"ids":[]}').subarray(0, 20), "gzip")).status).toBe(400);
    const refused = await encoded(Buffer.from("x"), "br");
    expect([
      refused.status,
      refused.body.error.param,
      refused.headers.get("accept-encoding"),
    ]).toEqual([415, "content-encoding", "gzip, deflate"]);
  });

  it("takes compressed lines of any length, but none that grow a hundredfold", async () => {
    const add = async (lines: string) => {
      const headers = { "content-type": "application/x-ndjson", "content-encoding": "gzip" };
      const response = await app.request(items, raw(Uint8Array.from(gzipSync(lines)), headers));
      return (await response.text())
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line));
    };
    const stored = JSON.stringify(item("packed"));
    const noise = () => randomBytes(500_000).toString("hex");
    const long = await add(`${Array.from({ length: 5 }, noise).join("\n")}\n${stored}`);
    expect(long.at(-1)).toMatchObject({ id: "packed", status: "stored" });
    const refused = await add(`${stored}\n${"\n".repeat(maxBodyBytes + 1)}`);
    expect(refused.at(-1)).toMatchObject({
      error: { code: "too_large", param: "content-encoding" },
    });
  });

  it("bounds a body without a length as it comes", async () => {
    let sent = 0;
    const body = new ReadableStream({
      pull(controller) {
        sent += 1_000_000;
        controller.enqueue(new Uint8Array(1_000_000).fill(32));
      },
    });
    const init = { ...raw(body), duplex: "half" } as RequestInit;
    expect((await send("/v1/bridges", init)).status).toBe(413);
    expect(sent).toBeLessThan(3 * maxBodyBytes);
  });
});

describe("fields", () => {
  it.each([
    ["/v1/zero-shot", { text: "a", labels: ["b"] }, "labels", "candidate_labels"],
    [
      "/v1/collections/c/search",
      { queries: [{ embedding: [1, 0], topk: 1 }] },
      "queries[0].topk",
      "top_k",
    ],
    [
      "/v1/embeddings",
      { input: "a", encodingformat: "float" },
      "encodingformat",
      "encoding_format",
    ],
    ["/v1/heads", { pairs: [{ image: "AAAA", txt: "a" }] }, "pairs[0].txt", "text"],
    [`${items}/delete`, { filter: { feild: "a", op: "eq", value: 1 } }, "filter.feild", "field"],
    [
      "/v1/collections/c/search",
      {
        queries: [
          {
            embedding: [1, 0],
            filter: { and: [{ field: "a", op: "eq", value: 1, negate: true }] },
          },
        ],
      },
      "queries[0].filter.and[0].negate",
      "expected",
    ],
    [
      "/v1/zero-shot",
      JSON.parse('{"text":"a","candidate_labels":["a"],"__proto__":{"x":1}}'),
      "__proto__",
      "expected",
    ],
  ])("names what is unknown in %s", async (path, body, param, advice) => {
    const { status, body: answer } = await send(path, jsonPost(body));
    expect(answer.error).toMatchObject({
      code: "invalid_input",
      param,
      message: expect.stringContaining(advice),
    });
    expect(status).toBe(400);
  });

  it("says what came in plain words", async () => {
    const { body } = await send("/v1/zero-shot", jsonPost({ text: "a", candidate_labels: "a,b" }));
    expect(body.error.message).toBe('"candidate_labels": expected an array, received a string');
  });

  it.each([
    null,
    "",
    0,
    false,
    [],
    {},
    { and: [] },
    { or: [] },
    { not: null },
    { and: [null] },
    { field: "a", op: "eq" },
  ])("refuses the filter %j everywhere", async (filter) => {
    await send(items, jsonPost({ items: [item("kept")] }));
    for (const [path, body] of [
      ["/v1/collections/c/search", { embedding: [1, 0], filter }],
      ["/v1/collections/c/search", { queries: [{ embedding: [1, 0] }], filter }],
      [`${items}/delete`, { filter }],
    ] as const) {
      expect((await send(path, jsonPost(body))).status).toBe(400);
    }
    const listed = await app.request(
      `${items}?filter=${encodeURIComponent(JSON.stringify(filter))}`,
    );
    expect(listed.status).toBe(400);
    expect((await app.request(`${items}/kept`)).status).toBe(200);
  });

  it("takes null for fields that may be left out, but not for ids and filters", async () => {
    const search = {
      embedding: [1, 0],
      top_k: null,
      cursor: null,
      modality: null,
      min_similarity: null,
      recall: null,
      text: null,
    };
    expect((await send("/v1/collections/c/search", jsonPost(search))).status).toBe(200);
    const embeddings = {
      input: "a",
      model: null,
      encoding_format: null,
      dimensions: null,
      user: null,
      modality: null,
      head: null,
    };
    expect((await send("/v1/embeddings", jsonPost(embeddings))).status).toBe(200);
    for (const body of [{ ids: null }, { filter: null }, { ids: ["a"], filter: null }]) {
      expect((await send(`${items}/delete`, jsonPost(body))).status).toBe(400);
    }
    const shared = { top_k: 1, queries: [{ embedding: [1, 0], top_k: null }] };
    const { body } = await send("/v1/collections/c/search", jsonPost(shared));
    expect(body.answers[0].results.length).toBe(1);
  });
});

describe("what is stored", () => {
  const text = fc
    .string({ unit: "grapheme", maxLength: 12 })
    .filter((one) => one.isWellFormed() && !one.includes("\0"));
  const key = fc.oneof(
    text,
    fc.constantFrom(
      "__proto__",
      "constructor",
      "a.b",
      '"',
      "0",
      "10",
      "9",
      "می‌خواهم",
      "\u0001",
      "",
    ),
  );
  const leaf = fc.oneof(
    text,
    fc.integer(),
    fc.maxSafeInteger(),
    fc.boolean(),
    fc.constant(null),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((one) => one || 0),
  );
  const { metadata } = fc.letrec<{ metadata: Record<string, unknown>; value: unknown }>((tie) => ({
    value: fc.oneof({ maxDepth: 3 }, leaf, fc.array(leaf, { maxLength: 3 }), tie("metadata")),
    metadata: fc.dictionary(key, tie("value"), { maxKeys: 4 }),
  }));
  const id = fc.oneof(
    text,
    fc.constantFrom(
      "a/b",
      "..",
      ".",
      "%2F",
      "100%",
      "a b",
      "?#",
      "a\\b",
      "👩‍💻",
      "x".repeat(512),
      "../x",
      "__proto__",
    ),
  );

  it("comes back exactly or is refused, by every way in", async () => {
    await fc.assert(
      fc.asyncProperty(
        id,
        metadata,
        fc.constantFrom("json", "ndjson", "form"),
        async (one, data, way) => {
          const body = item(one, data);
          let stored: boolean;
          if (way === "json")
            stored = (await send(items, jsonPost({ items: [body] }))).body.stored === 1;
          else if (way === "ndjson") {
            const line = await send(
              items,
              raw(`${JSON.stringify(body)}\n`, { "content-type": "Application/X-NDJSON" }),
            );
            stored = line.body.status === "stored";
          } else {
            const form = new FormData();
            form.append("id", one);
            form.append("embedding", "[1, 0]");
            form.append("modality", "text");
            form.append("metadata", JSON.stringify(data));
            stored = (await send(items, { method: "POST", body: form })).status === 201;
            // A form has no way to write a bare CR or LF in a field (HTML 4.10.21.8).
            if (/[\r\n]/.test(one)) return;
          }
          const refusable = one === "" || one === "." || one === "..";
          expect(stored).toBe(!refusable);
          if (!stored) return;
          const { status, body: found } = await send(`${items}/${encodeURIComponent(one)}`, {});
          expect([status, found.id]).toEqual([200, one]);
          expect(JSON.stringify(found.metadata)).toBe(JSON.stringify(data));
        },
      ),
      { numRuns: 60 },
    );
  }, 60_000);

  it("refuses numbers that would change and too deep metadata, for that item alone", async () => {
    const deep = `${'{"a":'.repeat(150)}1${"}".repeat(150)}`;
    const bad = [
      '{"n":9007199254740993}',
      '{"a":[{"n":1e400}]}',
      '{"n":0.12345678901234567890}',
      deep,
      '{"t":"\\u0000"}',
      '{"t":"\\ud83d"}',
    ];
    const list = bad.map(
      (metadata, i) =>
        `{"id":"bad${i}","embedding":[1,0],"modality":"text","metadata":${metadata}}`,
    );
    const { body } = await send(
      items,
      raw(`{"items":[${list.join()},${JSON.stringify(item("good"))}]}`),
    );
    expect(body.stored).toBe(1);
    const errors = body.statuses
      .slice(0, -1)
      .map(({ error }: { error: { param: string } }) => error.param);
    expect(errors).toEqual([
      "metadata.n",
      "metadata.a[0].n",
      "metadata.n",
      "metadata",
      "metadata",
      "metadata",
    ]);
    expect(body.statuses[3].error.message).toContain("100 levels");
  });

  it("keeps a filter working on names with joiners", async () => {
    await send(items, jsonPost({ items: [item("joined", { می‌خواهم: 1, "👩‍💻": 2 })] }));
    for (const field of ["می‌خواهم", "👩‍💻"]) {
      const filter = { field, op: "exists", value: true };
      const { body } = await send(
        "/v1/collections/c/search",
        jsonPost({ embedding: [1, 0], filter }),
      );
      expect(body.results.map((one: { id: string }) => one.id)).toContain("joined");
    }
  });
});

describe("methods", () => {
  it("names the slash at the end of a path that is none", async () => {
    const { status, body } = await send("/v1/collections/", {});
    expect([status, body.error.message]).toEqual([
      404,
      "There is no GET /v1/collections/; paths end without a slash",
    ]);
  });

  it.each([
    ["PUT", `${items}/a`, "GET, HEAD, DELETE, PATCH"],
    ["GET", "/v1/zero-shot", "POST"],
    ["HEAD", "/v1/compact", "POST"],
    ["OPTIONS", "/v1/embeddings", "POST"],
    ["DELETE", "/health/live", "GET, HEAD"],
  ])("answers %s %s with 405 and Allow", async (method, path, allow) => {
    const response = await app.request(path, { method });
    expect(response.status).toBe(405);
    expect(response.headers.get("allow")?.split(", ").sort()).toEqual(allow.split(", ").sort());
  });

  it("answers HEAD of a backup and an export without making them", async () => {
    for (const path of ["/v1/backup", "/v1/collections/c/export"]) {
      const response = await app.request(path, { method: "HEAD" });
      expect([response.status, await response.text()]).toEqual([200, ""]);
    }
    expect((await app.request("/v1/collections/none/export", { method: "HEAD" })).status).toBe(404);
  });
});

describe("who may ask without keys", () => {
  const ask = async (headers: Record<string, string>, type = "application/json") =>
    (
      await app.request(
        "http://127.0.0.1:8080/v1/collections/c/items/hashes",
        raw('{"ids":[]}', { "content-type": type, host: "127.0.0.1:8080", ...headers }),
      )
    ).status;

  it.each([
    "http://evil.example",
    "null",
    "http://203.0.113.5",
    "https://203.0.113.5:8443",
    "http://127.0.0.1:3000",
    "http://localhost:8080",
  ])("refuses pages of %s", async (origin) => {
    for (const type of ["application/json", "text/plain", "multipart/form-data; boundary=x"]) {
      expect(await ask({ origin }, type)).toBe(403);
    }
  });

  it("takes programs, its own pages, and those behind a proxy of the same site", async () => {
    expect(await ask({})).toBe(200);
    expect(await ask({ origin: "http://127.0.0.1:8080" })).toBe(200);
    expect(await ask({ origin: "https://localhost", "sec-fetch-site": "same-origin" })).toBe(200);
    expect(await ask({ "sec-fetch-site": "cross-site" }, "text/plain")).toBe(403);
  });
});

describe("GET /v1/models/{id}", () => {
  it("has what OpenAI's clients expect", async () => {
    const { body } = await send("/v1/models/starter-clip", {});
    expect(body).toMatchObject({ id: "starter-clip", object: "model", owned_by: "crossmodal" });
    expect(Number.isInteger(body.created)).toBe(true);
    expect((await send("/v1/models/none", {})).status).toBe(404);
  });
});
