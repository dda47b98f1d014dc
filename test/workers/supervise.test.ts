import { afterEach, describe, expect, it } from "vitest";
import { AppError } from "../../src/errors.js";
import { moving, remoteOf } from "../../src/workers/remote.js";
import { startWorker } from "../../src/workers/start-worker.js";
import { SupervisedWorker } from "../../src/workers/supervise.js";
import type { Counter } from "./counter-worker.js";

const startCounter = async (data?: { refuse: boolean }) => {
  const worker = startWorker(new URL("./counter-worker.js", import.meta.url), data);
  try {
    await worker.call("open", []);
    return worker;
  } catch (error) {
    await worker.close();
    throw error;
  }
};

let supervised: SupervisedWorker;
afterEach(() => supervised.close());

describe("SupervisedWorker", () => {
  it("serves another thread's object, with several arguments, and moves what is marked", async () => {
    supervised = await SupervisedWorker.start({ name: "The counter", start: startCounter });
    const counter = remoteOf<Counter>(supervised);
    expect(await counter.add(2)).toBe(2);
    expect(await counter.add(2, true)).toBe(6);
    const numbers = Float32Array.of(1, 2, 3);
    expect(await counter.sum(moving(numbers, [numbers.buffer]))).toBe(6);
    expect(numbers.length).toBe(0);
    const unknown = counter as unknown as { missing(): Promise<void> };
    await expect(unknown.missing()).rejects.toThrow('no method "missing"');
    expect(await Promise.resolve(counter)).toBe(counter); // it is not taken for a promise
  });

  it("fails the calls under way when its thread ends, says so, and starts another", async () => {
    supervised = await SupervisedWorker.start({ name: "The counter", start: startCounter });
    const counter = remoteOf<Counter>(supervised);
    expect(supervised.trouble).toBeUndefined();
    await expect(counter.exit(3)).rejects.toMatchObject({
      code: "unavailable",
      retryAfterSeconds: undefined, // it may have been done
    });
    expect(supervised.trouble).toBe("The counter stopped unexpectedly and is being restarted");
    await expect(counter.add(1)).rejects.toMatchObject({
      code: "unavailable",
      retryAfterSeconds: 1,
    });
    await expect.poll(() => supervised.trouble).toBeUndefined();
    expect(await counter.add(1)).toBe(1);
  });

  it("tries again when the thread cannot be started, and tells why meanwhile", async () => {
    let starts = 0;
    let gone = true;
    supervised = await SupervisedWorker.start({
      name: "The counter",
      firstWaitMs: 1,
      start: async () => {
        if (starts++ > 0 && gone) throw new AppError("storage_corrupt", "the file is damaged");
        return startCounter();
      },
    });
    const counter = remoteOf<Counter>(supervised);
    await expect(counter.exit(1)).rejects.toMatchObject({ code: "unavailable" });
    await expect.poll(() => supervised.trouble).toContain("the file is damaged");
    await expect(counter.add(1)).rejects.toMatchObject({ code: "storage_corrupt" });
    await expect.poll(() => starts).toBeGreaterThan(3);
    gone = false;
    await expect.poll(() => supervised.trouble).toBeUndefined();
    expect(await counter.add(5)).toBe(5);
  });

  it("does not try the first start again, and starts nothing once it is closed", async () => {
    let starts = 0;
    const start = () => {
      starts++;
      return startCounter({ refuse: true });
    };
    await expect(SupervisedWorker.start({ name: "The counter", start })).rejects.toThrow(
      "not today",
    );
    expect(starts).toBe(1);
    supervised = await SupervisedWorker.start({ name: "The counter", start: startCounter });
    await supervised.close();
    expect(supervised.trouble).toBeUndefined();
    await expect(supervised.call("add", [1])).rejects.toMatchObject({ code: "unavailable" });
  });
});
