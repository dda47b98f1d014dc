import { afterEach, describe, expect, it } from "vitest";
import { startWorker, type WorkerHandle } from "../../src/workers/start-worker.js";

describe("startWorker", () => {
  let worker: WorkerHandle;
  const start = () => {
    worker = startWorker(new URL("./echo-worker.js", import.meta.url));
    return worker;
  };
  afterEach(() => worker.close());

  it("answers each call with its own value, whatever the order they end in", async () => {
    start();
    const slow = worker.call("slow", 50);
    const quick = worker.call("echo", { a: [1, 2] });
    expect(await quick).toEqual({ a: [1, 2] });
    expect(worker.pending).toBe(1);
    expect(await slow).toBe("done");
    expect(worker.pending).toBe(0);
  });

  it("reports progress before the answer", async () => {
    start();
    const seen: unknown[] = [];
    await worker.call("slow", 1, { onProgress: (progress) => seen.push(progress) });
    expect(seen).toEqual(["started"]);
  });

  it("moves buffers out of the thread", async () => {
    start();
    expect(await worker.call<Float32Array>("fill", 3)).toEqual(new Float32Array([1, 1, 1]));
  });

  it("keeps an AppError an AppError, with code and param", async () => {
    start();
    await expect(worker.call("refuse", undefined)).rejects.toMatchObject({
      name: "AppError",
      code: "invalid_input",
      param: "n",
    });
    await expect(worker.call("nothing", undefined)).rejects.toThrow('no method "nothing"');
    await expect(worker.call("echo", () => 1)).rejects.toThrow(/could not be cloned/);
    expect(await worker.call("echo", 1)).toBe(1);
  });

  it("fails every waiting call when the thread dies, and later calls at once", async () => {
    start();
    await expect(worker.call("crash", undefined)).rejects.toMatchObject({
      code: "unavailable",
      message: "The echo thread stopped unexpectedly during the request",
      retryAfterSeconds: undefined, // it may have been done
      cause: { message: "the thread is gone" },
    });
    await expect(worker.call("echo", 1)).rejects.toMatchObject({
      code: "unavailable",
      retryAfterSeconds: 1,
    });
    expect(await worker.exited).toBe(worker.ended);
  });

  it("close waits for the calls under way and can be called twice", async () => {
    start();
    const slow = worker.call("slow", 50);
    await Promise.all([worker.close(), worker.close()]);
    expect(await slow).toBe("done");
  });
});
