import { describe, expect, it } from "vitest";
import { createClient } from "../../src/client/client.js";

interface Sent {
  url: string;
  headers: Headers;
  init: RequestInit;
}

/** A client of a server that gives these answers one after the other, then the last one again. */
function clientOf(answers: readonly (() => Response | Promise<Response>)[], options: object = {}) {
  const sent: Sent[] = [];
  const fetch = async (url: string, init: RequestInit) => {
    init.signal?.throwIfAborted();
    sent.push({ url, headers: new Headers(init.headers), init });
    return answers[Math.min(sent.length, answers.length) - 1]();
  };
  return { client: createClient({ url: "http://server.test", fetch, ...options }), sent };
}

const failure = (status: number, headers: Record<string, string> = {}) => {
  const error = { code: "overloaded", message: "Full", param: "input", type: "rate_limit_error" };
  return () => Response.json({ error }, { status, headers });
};
const done = () => Response.json({ ok: true });
const noConnection = () => {
  throw new TypeError("fetch failed", { cause: new Error("connect ECONNREFUSED") });
};
const soon = { "retry-after": "0" };

describe("a call", () => {
  it("goes to the path under the server's, with the key", async () => {
    const options = { url: "https://example.org/cross//", apiKey: "secret\n" };
    const { client, sent } = clientOf([done], options);
    await client.getItem("a/b", "c d?.png");
    expect(sent[0].url).toBe("https://example.org/cross/v1/collections/a%2Fb/items/c%20d%3F.png");
    expect(sent[0].headers.get("authorization")).toBe("Bearer secret");
  });

  it("refuses names that a URL drops: the path would be another one", () => {
    const { client, sent } = clientOf([done]);
    for (const name of ["", ".", ".."]) {
      expect(() => client.deleteItem("photos", name)).toThrow(TypeError);
      expect(() => client.deleteCollection(name)).toThrow(TypeError);
    }
    expect(sent).toEqual([]);
  });

  it.each(["ftp://a", "http://user:secret@a", "http://a?b", "http://a#b"])(
    "has no server at %s",
    (url) => expect(() => createClient({ url })).toThrow(/^Expected an http\(s\) URL/),
  );

  it("says nothing of a key that no header can carry", () => {
    expect(() => createClient({ url: "", apiKey: "se\ncret" })).toThrow(/^The API key has charac/);
  });

  it("throws what the server says: status, code, field, time and id of the request", async () => {
    const { client } = clientOf([failure(429, { "retry-after": "60", "x-request-id": "r1" })]);
    await expect(client.listModels()).rejects.toMatchObject({
      name: "ApiError",
      message: "Full",
      status: 429,
      code: "overloaded",
      param: "input",
      retryAfterSeconds: 60,
      requestId: "r1",
    });
  });

  it("throws what a proxy says, which knows no code", async () => {
    const proxy = () => new Response("<html>Bad gateway</html>", { status: 502 });
    await expect(clientOf([proxy]).client.listModels()).rejects.toMatchObject({
      message: "Expected JSON from /v1/models but received 502 <html>Bad gateway</html>",
      status: 502,
      code: undefined,
    });
  });

  it("throws ConnectionError when the answer is not JSON, or broke off", async () => {
    const html = clientOf([() => new Response("<html>")]);
    await expect(html.client.listModels()).rejects.toMatchObject({ name: "ConnectionError" });
    const broken = new ReadableStream({ pull: (c) => c.error(new TypeError("terminated")) });
    const cut = clientOf([() => new Response(broken)]);
    await expect(cut.client.listModels()).rejects.toMatchObject({
      name: "ConnectionError",
      message: "The answer broke off (terminated)",
    });
  });
});

describe("a request is sent again", () => {
  const write = (client: ReturnType<typeof clientOf>["client"]) => client.compact();
  const read = (client: ReturnType<typeof clientOf>["client"]) => client.listModels();

  it.each([
    ["a write after 429", write, failure(429, soon)],
    ["a write after 503 with Retry-After", write, failure(503, soon)],
    ["a read after 503", read, failure(503)],
    ["a read without connection", read, noConnection],
  ])("%s", async (_, call, refusal) => {
    const { client, sent } = clientOf([refusal, refusal, done]);
    expect(await call(client)).toEqual({ ok: true });
    expect(sent).toHaveLength(3);
  });

  it.each([
    ["a write after 503 without Retry-After, which may have been done", write, failure(503)],
    ["a write without connection", write, noConnection],
    ["a read after 500", read, failure(500)],
    [
      "one whose server asks for more than half a minute",
      read,
      failure(429, { "retry-after": "31" }),
    ],
  ])("but not %s", async (_, call, refusal) => {
    const { client, sent } = clientOf([refusal, done]);
    await expect(call(client)).rejects.toBeInstanceOf(Error);
    expect(sent).toHaveLength(1);
  });

  it("as often as maxRetries says, then its error is thrown", async () => {
    const { client, sent } = clientOf([failure(429, soon)], { maxRetries: 2 });
    await expect(client.compact()).rejects.toMatchObject({ status: 429 });
    expect(sent).toHaveLength(3);
    await expect(client.compact({ maxRetries: 0 })).rejects.toMatchObject({ status: 429 });
    expect(sent).toHaveLength(4);
  });

  it("with the same body: a file is read once", async () => {
    const { client, sent } = clientOf([failure(429, soon), done]);
    const stream = new Blob(["picture"]).stream();
    await client.embeddings({ input: stream, modality: "image" });
    for (const { init } of sent) {
      const file = (init.body as FormData).get("input") as Blob;
      expect(await file.text()).toBe("picture");
    }
  });

  it("unless its signal aborts meanwhile", async () => {
    const { client, sent } = clientOf([failure(429, { "retry-after": "20" })]);
    const reason = new Error("enough");
    const stop = new AbortController();
    const failed = client.compact({ signal: stop.signal });
    await expect.poll(() => sent.length).toBe(1);
    stop.abort(reason);
    await expect(failed).rejects.toBe(reason);
    expect(sent).toHaveLength(1);
  });
});

describe("a body", () => {
  const image = new Blob(["picture"], { type: "image/png" });
  const bodyOf = async (call: (client: ReturnType<typeof clientOf>["client"]) => unknown) => {
    const { client, sent } = clientOf([done]);
    await call(client);
    return sent[0].init.body;
  };

  it("is JSON without files, with vectors as numbers", async () => {
    const embedding = Float32Array.of(1, 0.5);
    const body = await bodyOf((client) => client.search("c", { embedding, top_k: 3 }));
    expect(JSON.parse(body as string)).toEqual({ embedding: [1, 0.5], top_k: 3 });
  });

  it("is a form with files in any of their forms, and JSON for what is not text", async () => {
    const bytes = new TextEncoder().encode("picture");
    for (const file of [image, bytes, bytes.buffer, image.stream(), new File([bytes], "")]) {
      const request = { image: file, candidate_labels: ["a", "b"], top_k: 1, model: undefined };
      const form = (await bodyOf((client) => client.zeroShot(request))) as FormData;
      expect([...form.keys()]).toEqual(["image", "candidate_labels", "top_k"]);
      expect(form.get("candidate_labels")).toBe('["a","b"]');
      expect(form.get("top_k")).toBe("1");
      const part = form.get("image") as File;
      expect([await part.text(), part.name !== ""]).toEqual(["picture", true]);
    }
  });

  it("has files further inside as base64", async () => {
    const items = [{ image: new Blob([new Uint8Array(100_000).fill(255)]), metadata: { a: null } }];
    const body = await bodyOf((client) => client.addItems("c", items));
    const [item] = JSON.parse(body as string).items;
    expect(Buffer.from(item.image, "base64")).toEqual(Buffer.alloc(100_000, 255));
    expect(item.metadata).toEqual({ a: null });
  });

  it("says null as JSON does, also beside a file: a filter of null must be refused", async () => {
    const request = { image, filter: null as never };
    const body = await bodyOf((client) => client.search("c", request));
    expect(JSON.parse(body as string)).toEqual({ image: btoa("picture"), filter: null });
  });
});

describe("jobEvents", () => {
  const job = (state: string, progress: number) =>
    `data: ${JSON.stringify({ state, progress })}\n\n`;
  const events =
    (...parts: string[]) =>
    () =>
      new Response(parts.join(""));
  const statesOf = async (jobs: AsyncIterable<{ state: string; progress: number }>) => {
    const states: unknown[] = [];
    for await (const { state, progress } of jobs) states.push([state, progress]);
    return states;
  };

  it("connects again where a connection broke, and ends with the job", async () => {
    const { client, sent } = clientOf([
      events(job("running", 0.25), ": still there\n\n", 'data: {"state": "runn'),
      noConnection,
      failure(503, soon),
      events(job("running", 0.5), job("succeeded", 1), job("never", 0)),
    ]);
    expect(await statesOf(client.jobEvents("j"))).toEqual([
      ["running", 0.25],
      ["running", 0.5],
      ["succeeded", 1],
    ]);
    expect(sent).toHaveLength(4);
  });

  it("connects again where nothing has come for a while", async () => {
    const silent = () => new Response(new ReadableStream({ pull: () => new Promise(() => {}) }));
    const { client } = clientOf([silent, events(job("failed", 0.5))]);
    const states = await statesOf(client.jobEvents("j", { idleMs: 50 }));
    expect(states).toEqual([["failed", 0.5]]);
  });

  it("gives up after maxRetries failures in a row, and at once when the job does not exist", async () => {
    const lost = clientOf([noConnection]);
    await expect(lost.client.jobEvents("j", { maxRetries: 1 }).next()).rejects.toMatchObject({
      name: "ConnectionError",
    });
    expect(lost.sent).toHaveLength(2);
    const missing = clientOf([failure(404)]);
    await expect(missing.client.jobEvents("j").next()).rejects.toMatchObject({ status: 404 });
    expect(missing.sent).toHaveLength(1);
  });

  it("throws the signal's reason when it aborts", async () => {
    const stop = new AbortController();
    const open = () => new Response(new ReadableStream({ start: (c) => c.enqueue(text) }));
    const text = new TextEncoder().encode(job("running", 0.5));
    const { client } = clientOf([open]);
    const jobs = client.jobEvents("j", { signal: stop.signal });
    expect((await jobs.next()).value).toMatchObject({ progress: 0.5 });
    const next = jobs.next();
    stop.abort(new RangeError("enough"));
    await expect(next).rejects.toThrow("enough");
  });
});

describe("exportItems", () => {
  it("gives items as they come, and throws when the stream is cut", async () => {
    const { client } = clientOf([() => new Response('{"id":"a"}\n\n{"id":"b"}\r\n{"id":"c')]);
    const ids: string[] = [];
    const all = async () => {
      for await (const { id } of client.exportItems("c")) ids.push(id);
    };
    await expect(all()).rejects.toMatchObject({ name: "ConnectionError" });
    expect(ids).toEqual(["a", "b"]);
  });
});
