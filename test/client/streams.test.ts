import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { createClient } from "../../src/client/client.js";
import type { NewItem } from "../../src/client/item-calls.js";
import { linesOf } from "../../src/client/lines.js";

/** Answers each line with "stored" as soon as it has been read and there is room in the answer. */
function storingClient(headers: () => void = () => {}) {
  const requests: number[] = [];
  const fetch = async (_: string, init: RequestInit) => {
    headers();
    const lines = linesOf(new Response(init.body, { duplex: "half" } as ResponseInit));
    const place = requests.push(0) - 1;
    const answer = new ReadableStream<Uint8Array>(
      {
        async pull(controller) {
          init.signal?.throwIfAborted();
          const { done, value } = await lines.next();
          if (done) return controller.close();
          requests[place]++;
          const { id } = JSON.parse(value);
          const status =
            id === "bad"
              ? { id, status: "failed", line: requests[place], error: { code: "invalid_input" } }
              : { id, status: "stored", replaced: false };
          controller.enqueue(new TextEncoder().encode(`${JSON.stringify(status)}\n`));
        },
      },
      { highWaterMark: 0 },
    );
    return new Response(answer);
  };
  return { client: createClient({ url: "http://server.test", fetch }), requests };
}

/** Items without end; counts how many were asked for. */
function endless(text = "x") {
  const source = { asked: 0, ended: false };
  const items = (async function* (): AsyncGenerator<NewItem> {
    try {
      while (true) yield { id: String(++source.asked), text };
    } finally {
      source.ended = true;
    }
  })();
  return { source, items };
}

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
  server = undefined;
});
const listen = async (answer: Parameters<typeof createServer>[1]) => {
  server = createServer(answer);
  await new Promise<void>((resolve) => server?.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
};

describe("addItemStream", () => {
  it.each([true, false])("gives a status for each item in order (duplex: %s)", async (duplex) => {
    const { client, requests } = storingClient();
    const ids = Array.from({ length: 300 }, (_, i) => String(i));
    const items = ids.map((id) => ({ id, text: "x".repeat(10_000) }));
    const got: (string | null)[] = [];
    for await (const { id } of client.addItemStream("c", items, { duplex })) got.push(id);
    expect(got).toEqual(ids);
    // Without duplex each request has about a megabyte.
    expect(requests).toEqual(duplex ? [300] : [105, 105, 90]);
  });

  it("counts the lines of failures over all requests", async () => {
    const { client } = storingClient();
    const items = ["1", "bad", "3", "bad"].map((id) => ({ id, text: "x".repeat(600_000) }));
    const lines: unknown[] = [];
    for await (const status of client.addItemStream("c", items, { duplex: false }))
      if (status.status === "failed") lines.push(status.line);
    expect(lines).toEqual([2, 4]);
  });

  it("asks its source for no more than is read while statuses are not taken", async () => {
    const { client } = storingClient();
    const { source, items } = endless();
    const statuses = client.addItemStream("c", items);
    for (let i = 1; i <= 20; i++) {
      expect((await statuses.next()).value).toMatchObject({ id: String(i) });
      expect(source.asked).toBeLessThanOrEqual(i + 3);
    }
    await statuses.return(undefined);
    await expect.poll(() => source.ended).toBe(true);
  });

  it("asks for no more than the sockets hold from a server that does not read", async () => {
    const url = await listen((_, response) => response.flushHeaders());
    const { source, items } = endless("x".repeat(100_000));
    const stop = new AbortController();
    const statuses = createClient({ url }).addItemStream("c", items, { signal: stop.signal });
    const next = statuses.next();
    let before = -1;
    await expect
      .poll(
        () => {
          const isStill = source.asked === before;
          before = source.asked;
          return isStill && before > 0;
        },
        { interval: 200 },
      )
      .toBe(true);
    expect(source.asked).toBeLessThan(300); // 30 MB
    stop.abort(new RangeError("enough"));
    await expect(next).rejects.toThrow("enough");
  });

  it("gives a source that pauses a new request, and an empty one none", async () => {
    const { client, requests } = storingClient();
    let goOn = () => {};
    const paused = (async function* (): AsyncGenerator<NewItem> {
      yield { id: "1", text: "x" };
      yield { id: "2", text: "x" };
      await new Promise<void>((resolve) => {
        goOn = resolve;
      });
      yield { id: "3", text: "x" };
    })();
    const ids: unknown[] = [];
    for await (const { id } of client.addItemStream("c", paused, { idleMs: 50 })) {
      ids.push(id);
      // The first request ends, by its idle time alone.
      if (id === "2") setTimeout(() => goOn(), 300);
    }
    expect(ids).toEqual(["1", "2", "3"]);
    expect(requests).toEqual([2, 1]);
    for await (const _ of client.addItemStream("c", [])) throw new Error("nothing was sent");
    expect(requests).toHaveLength(2);
  });

  it("sends nothing more after stop, and still gives the statuses of what it sent", async () => {
    const { client } = storingClient();
    const stop = new AbortController();
    const waiting = (async function* () {
      yield { id: "1", text: "x" };
      stop.abort();
      await new Promise(() => {});
    })();
    const ids: unknown[] = [];
    for await (const { id } of client.addItemStream("c", waiting, { stop: stop.signal }))
      ids.push(id);
    expect(ids).toEqual(["1"]);
  });

  it("throws the signal's reason while it waits for its source", async () => {
    const { client } = storingClient();
    const signal = AbortSignal.timeout(20);
    const waiting = (async function* (): AsyncGenerator<NewItem> {
      await new Promise(() => {});
    })();
    const next = client.addItemStream("c", waiting, { signal }).next();
    await expect(next).rejects.toMatchObject({ name: "TimeoutError" });
  });

  it("throws what the source throws", async () => {
    const { client } = storingClient();
    const broken = (async function* () {
      yield { id: "1", text: "x" };
      throw new RangeError("no more");
    })();
    const all = async () => {
      for await (const _ of client.addItemStream("c", broken));
    };
    await expect(all()).rejects.toThrow("no more");
  });

  it("throws ConnectionError when the server breaks off, and counts nothing as stored", async () => {
    const url = await listen((request, response) => {
      request.once("data", () => {
        response.write('{"id":"1","status":"stored","replaced":false}\n{"id":"2","sta');
        setTimeout(() => response.destroy(), 50);
      });
    });
    const { source, items } = endless();
    const ids: unknown[] = [];
    const all = async () => {
      for await (const { id } of createClient({ url }).addItemStream("c", items)) ids.push(id);
    };
    await expect(all()).rejects.toMatchObject({ name: "ConnectionError" });
    expect(ids).toEqual(["1"]);
    await expect.poll(() => source.ended).toBe(true);
  });
});
