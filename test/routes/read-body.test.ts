import { Hono } from "hono";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createLog } from "../../src/log.js";
import { errorResponse } from "../../src/routes/error-response.js";
import { boundedBody, readBody } from "../../src/routes/read-body.js";
import type { RequestVariables } from "../../src/routes/request-context.js";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
});
afterEach(() => {
  vi.useRealTimers();
});

const app = new Hono<RequestVariables>()
  .post("/size", async (c) => c.text(String((await readBody(c)).length)))
  .post("/in-half-an-hour", async (c) => {
    c.set("requestTimeoutMs", 30 * 60_000);
    return c.text(String((await readBody(c)).length));
  })
  .post("/pieces", async (c) => {
    const sizes: number[] = [];
    for await (const { length } of boundedBody(c)) sizes.push(length);
    return c.json(sizes);
  })
  .onError(errorResponse(createLog("silent")));

/** A body that brings so many bytes in each of several ten seconds. */
function upload(bytes: number[], path = "/size"): Promise<Response> {
  const left = [...bytes];
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const next = left.shift();
        if (next === undefined) return controller.close();
        controller.enqueue(new Uint8Array(next));
        setImmediate(() => vi.advanceTimersByTime(10_000));
        await new Promise((resolve) => setImmediate(resolve));
      },
    },
    { highWaterMark: 0 },
  );
  const init = { method: "POST", body, duplex: "half" } as RequestInit;
  return Promise.resolve(app.request(path, init));
}

describe("a body", () => {
  it.each([
    ["slowly", "/size", Array(20).fill(4000)],
    ["over two minutes", "/size", Array(12).fill(2 ** 20)],
    ["over half an hour, where that is the limit", "/in-half-an-hour", Array(180).fill(100_000)],
    [
      "with gaps of 20 s",
      "/size",
      Array(4)
        .fill([2 ** 20, 0, 0])
        .flat(),
    ],
    [
      "with such a gap after half an hour",
      "/in-half-an-hour",
      [...Array(174).fill(100_000), 0, 0, ...Array(3).fill(100_000)],
    ],
  ])("may come %s", async (_, path, bytes: number[]) => {
    const answer = await (await upload(bytes, path)).text();
    expect(answer).toBe(String(bytes.reduce((sum, count) => sum + count)));
  });

  it.each([
    [[1, 0, 0], "Expected 10000 bytes of the body in 30 s but received 1"],
    [[4000, 4000, 4000, 9999, 0, 0], "Expected 10000 bytes of the body in 30 s but received 9999"],
    [
      [10_000_000, 0, 0, 499_999, 0, 0],
      "Expected 525000 bytes of the body in 30 s but received 499999",
    ],
  ])("is answered 408 once it hardly comes: %j", async (bytes, message) => {
    const response = await upload([...bytes, 1_000_000]);
    expect([response.status, await response.json()]).toMatchObject([
      408,
      { error: { code: "too_slow", message } },
    ]);
  });

  it("is handed on in pieces of some kilobytes, however it comes", async () => {
    const parts = [...Array(2500).fill(1), 40_000, 100];
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        for (const size of parts) controller.enqueue(new Uint8Array(size));
        controller.close();
      },
    });
    const init = { method: "POST", body, duplex: "half" } as RequestInit;
    expect(await (await app.request("/pieces", init)).json()).toEqual([1000, 1000, 40_500, 100]);
  });
});
