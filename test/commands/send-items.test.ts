import { Hono } from "hono";
import { describe, expect, it } from "vitest";
import { wholeLines } from "../../src/commands/ndjson.js";
import { sendItems } from "../../src/commands/send-items.js";
import type { Target } from "../../src/commands/target.js";

/** Stores every line at once; counts requests. */
function storingTarget() {
  let requests = 0;
  const app = new Hono()
    .onError((error, c) => c.text(error.message, 500))
    .post("/v1/collections/:name/items", async (c) => {
      requests++;
      const text = await c.req.text();
      const ids = text.trimEnd().split("\n");
      return c.body(
        ids.map((line) => `${JSON.stringify({ id: line, status: "stored" })}\n`).join(""),
      );
    });
  const send: Target["send"] = async (path, init) => app.request(path, init);
  return { target: { send } as Target, requests: () => requests };
}

const bytes = (text: string) => Buffer.from(text);
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const idsOf = async (statuses: AsyncIterable<{ id: string | null }>) => {
  const ids: unknown[] = [];
  for await (const { id } of statuses) ids.push(id);
  return ids;
};
const never = new AbortController().signal;

describe("sendItems", () => {
  it("gives a source that pauses a request of its own for what comes next, and none to an empty one", async () => {
    const { target, requests } = storingTarget();
    const paused = (async function* () {
      yield bytes("1\n2\n");
      await sleep(300);
      yield bytes("3\n");
    })();
    expect(await idsOf(sendItems(target, "a", paused, { signal: never, idleMs: 50 }))).toEqual([
      "1",
      "2",
      "3",
    ]);
    expect(requests()).toBe(2);
    const empty = (async function* () {})();
    expect(await idsOf(sendItems(target, "a", empty, { signal: never }))).toEqual([]);
    expect(requests()).toBe(2);
  });

  it("stops while it waits for the source, and still gives the statuses of what was sent", async () => {
    const { target } = storingTarget();
    const stop = new AbortController();
    const endless = (async function* () {
      yield bytes("1\n");
      setTimeout(() => stop.abort(), 50);
      await new Promise(() => {});
    })();
    expect(await idsOf(sendItems(target, "a", endless, { signal: stop.signal }))).toEqual(["1"]);
  });

  it("fails with the source's own error", async () => {
    const { target } = storingTarget();
    const broken = (async function* () {
      yield bytes("1\n");
      throw new RangeError("line 2 is no JSON");
    })();
    await expect(idsOf(sendItems(target, "a", broken, { signal: never }))).rejects.toThrow(
      "line 2 is no JSON",
    );
  });
});

describe("wholeLines", () => {
  it("cuts at the ends of lines, whatever the chunks, and ends the last one", async () => {
    const text = 'a\nlänger\n\n{"b": 1}\nlast';
    for (const size of [1, 2, 3, 7, 100]) {
      const chunks = (async function* () {
        for (let at = 0; at < bytes(text).length; at += size)
          yield bytes(text).subarray(at, at + size);
      })();
      let joined = "";
      for await (const piece of wholeLines(chunks)) {
        expect(piece.at(-1)).toBe(10);
        joined += Buffer.from(piece).toString();
      }
      expect(joined).toBe(`${text}\n`);
    }
  });
});
