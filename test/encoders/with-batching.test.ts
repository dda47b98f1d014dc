import { describe, expect, it } from "vitest";
import { withBatching } from "../../src/encoders/with-batching.js";
import { gatherStages, type StageTimes } from "../../src/metrics.js";
import { fakeEncoder } from "../helpers/fake-encoder.js";

const letters = (n: number) => Array.from({ length: n }, (_, i) => "x".repeat(i + 1));

describe("withBatching", () => {
  it("joins calls of the same moment into one batch and answers each with its own", async () => {
    const inner = fakeEncoder();
    const encoder = withBatching(inner, { maxBatch: 8 });
    const [a, b] = await Promise.all([encoder.encode(["x"]), encoder.encode(["xx", "xxx"])]);
    expect(inner.batches.length).toBe(1);
    expect(a[0][1]).toBeCloseTo(Math.sin(0.1), 6);
    expect(b.map(([, y]) => y)).toEqual([Math.fround(Math.sin(0.2)), Math.fround(Math.sin(0.3))]);
  });

  it("cuts a large call into batches and keeps its order", async () => {
    const inner = fakeEncoder();
    const encoder = withBatching(inner, { maxBatch: 4 });
    const embeddings = await encoder.encode(letters(10));
    expect(inner.batches.map((batch) => batch.length)).toEqual([4, 4, 2]);
    for (const [i, [, y]] of embeddings.entries())
      expect(y).toBeCloseTo(Math.sin(0.1 * (i + 1)), 6);
  });

  it("begins a second batch while the first runs only when it is full, so that trickling calls do not make small ones", async () => {
    const batches: number[] = [];
    let open = () => {};
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    const encode = async (texts: readonly string[]) => {
      batches.push(texts.length);
      await gate;
      return texts.map(() => new Float32Array(2));
    };
    const held = { ...fakeEncoder(), encode };
    const encoder = withBatching(held, { maxBatch: 4 });
    const calls = [];
    for (let i = 0; i < 5; i++) {
      calls.push(encoder.encode(["x"]));
      await new Promise(setImmediate);
      expect(batches).toEqual(i < 4 ? [1] : [1, 4]);
    }
    open();
    await Promise.all(calls);
  });

  it("lets a small call through between the batches of a large one", async () => {
    const inner = fakeEncoder(5);
    const encoder = withBatching(inner, { maxBatch: 4 });
    let largeDone = false;
    const large = encoder.encode(letters(80)).then(() => {
      largeDone = true;
    });
    await encoder.encode(["small"]);
    expect(largeDone).toBe(false);
    await large;
  });

  it("fails only the call whose input cannot be encoded", async () => {
    const encoder = withBatching(fakeEncoder(), { maxBatch: 8 });
    const results = await Promise.allSettled([
      encoder.encode(["x"]),
      encoder.encode(["bad"]),
      encoder.encode(["xx"]),
    ]);
    expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
  });

  it("gives every caller its first turn before any its second, also beyond a full batch", async () => {
    const inner = fakeEncoder();
    const encoder = withBatching(inner, { maxBatch: 32 });
    const call = (caller: string, n: number) =>
      encoder.encode(Array.from({ length: n }, (_, i) => `${caller}/${i}`));
    const bulk = Array.from({ length: 64 }, (_, c) => call(`bulk${c}`, 40));
    const small = call("small", 1);
    await Promise.all([...bulk, small]);
    const firstTurn = (caller: string) =>
      inner.batches.findIndex((batch) => batch.some((text) => text.startsWith(`${caller}/`)));
    expect([0, 31, 32, 63].map((c) => firstTurn(`bulk${c}`))).toEqual([0, 0, 1, 1]);
    expect(firstTurn("small")).toBe(2);
  });

  it("takes calls with one signal for one caller's", async () => {
    const inner = fakeEncoder();
    const encoder = withBatching(inner, { maxBatch: 4 });
    const { signal } = new AbortController();
    const bulk = Array.from({ length: 8 }, (_, i) => encoder.encode([`bulk${i}`], signal));
    await Promise.all([...bulk, encoder.encode(["small"])]);
    expect(inner.batches[0]).toEqual(["bulk0", "small", "bulk1", "bulk2"]);
  });

  it("takes a call out of the queue when its client goes away", async () => {
    const inner = fakeEncoder(10);
    const encoder = withBatching(inner, { maxBatch: 1 });
    const first = encoder.encode(letters(2));
    const gone = new AbortController();
    const second = encoder.encode(["never"], gone.signal);
    gone.abort(new Error("gone"));
    await expect(second).rejects.toThrow("gone");
    await first;
    expect(inner.batches.flat()).not.toContain("never");
  });

  it("reports the time in the queue to the call that waited", async () => {
    const encoder = withBatching(fakeEncoder(20), { maxBatch: 1 });
    const times: StageTimes = new Map();
    const ahead = encoder.encode(letters(3));
    await new Promise((resolve) => setTimeout(resolve, 1)); // two of the three are under way
    await gatherStages(times, () => encoder.encode(["x"]));
    await ahead;
    expect(times.get("queue")).toBeGreaterThan(5);
  });

  it("disposes of the encoder after the work under way", async () => {
    const inner = fakeEncoder(10);
    const encoder = withBatching(inner, { maxBatch: 2 });
    const work = encoder.encode(letters(4));
    await encoder.dispose();
    expect((await work).length).toBe(4);
    expect(inner.disposed).toBe(true);
  });
});
