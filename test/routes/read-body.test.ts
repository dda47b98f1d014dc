import { Hono } from "hono";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createLog } from "../../src/log.js";
import { errorResponse } from "../../src/routes/error-response.js";
import { boundedBody, readBody } from "../../src/routes/read-body.js";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
});
afterEach(() => {
  vi.useRealTimers();
});

const app = new Hono()
  .post("/size", async (c) => c.text(String((await readBody(c)).length)))
  .post("/pieces", async (c) => {
    const sizes: number[] = [];
    for await (const { length } of boundedBody(c)) sizes.push(length);
    return c.json(sizes);
  })
  .onError(errorResponse(createLog("silent")));

/** A body that brings so many bytes in each of several ten seconds. */
function upload(...bytes: number[]): Promise<Response> {
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const next = bytes.shift();
        if (next === undefined) return controller.close();
        controller.enqueue(new Uint8Array(next));
        setImmediate(() => vi.advanceTimersByTime(10_000));
        await new Promise((resolve) => setImmediate(resolve));
      },
    },
    { highWaterMark: 0 },
  );
  const init = { method: "POST", body, duplex: "half" } as RequestInit;
  return Promise.resolve(app.request("/size", init));
}

describe("a body", () => {
  it("may come slowly, as long as it comes", async () => {
    const steady = Array(20).fill(10_000);
    expect(await (await upload(...steady)).text()).toBe("200000");
    const large = Array(12).fill(2 ** 20);
    expect(await (await upload(...large)).text()).toBe(String(12 * 2 ** 20));
  });

  it.each([
    [[1], "Expected 10000 bytes of the body in 10 s but received 1"],
    [[10_000, 9999], "Expected 10000 bytes of the body in 10 s but received 9999"],
    [[10_000_000, 199_999], "Expected 204000 bytes of the body in 10 s but received 199999"],
  ])("is answered 408 once it hardly comes: %j", async (bytes, message) => {
    const response = await upload(...bytes, 1_000_000);
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
