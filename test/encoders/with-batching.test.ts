import { describe, expect, it } from "vitest";
import { withBatching } from "../../src/encoders/with-batching.js";
import { graphSeconds } from "../../src/metrics.js";
import { currentPriority, inBulk } from "../../src/priority.js";
import { collectStages, recordStage, StageTimes } from "../../src/stages.js";
import { fakeEncoder } from "../helpers/fake-encoder.js";

/** An encoder whose batches end when they are told to. */
function heldEncoder() {
  const inner = fakeEncoder();
  const batches: { texts: readonly string[]; priority: string; signal?: AbortSignal }[] = [];
  const open: (() => void)[] = [];
  const encoder = {
    ...inner,
    async encode(texts: readonly string[], signal?: AbortSignal) {
      batches.push({ texts, priority: currentPriority(), signal });
      await new Promise<void>((resolve) => open.push(resolve));
      return inner.encode(texts, signal);
    },
  };
  /** Ends batches, one after the other, until the call has its answer. */
  const finish = async (call: Promise<unknown>) => {
    let isDone = false;
    const watched = call.finally(() => {
      isDone = true;
    });
    while (!isDone) {
      open.shift()?.();
      await turn();
    }
    await watched;
  };
  return { encoder, batches, finish };
}

const turn = () => new Promise((resolve) => setTimeout(resolve));

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

  it("counts how long the graph has run, once for a batch of many calls", async () => {
    const inner = { ...fakeEncoder(), modelId: "timed" };
    const timed = {
      ...inner,
      async encode(texts: readonly string[]) {
        recordStage({ stage: "inference", startMs: 0, ms: 250 });
        return inner.encode(texts);
      },
    };
    const encoder = withBatching(timed, { maxBatch: 8 });
    await Promise.all([encoder.encode(["x"]), encoder.encode(["xx", "xxx"])]);
    const { values } = await graphSeconds.get();
    expect(values.filter(({ labels }) => labels.model === "timed")).toEqual([
      { labels: { model: "timed", modality: "text" }, value: 0.25 },
    ]);
  });

  it("cuts a large call into batches and keeps its order", async () => {
    const inner = fakeEncoder();
    const encoder = withBatching(inner, { maxBatch: 4 });
    const embeddings = await encoder.encode(letters(10));
    expect(inner.batches.map((batch) => batch.length)).toEqual([4, 4, 2]);
    for (const [i, [, y]] of embeddings.entries())
      expect(y).toBeCloseTo(Math.sin(0.1 * (i + 1)), 6);
  });

  it("starts a second batch beside a running one only when it is full", async () => {
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
      calls.push(encoder.encode([`${i}`]));
      await new Promise(setImmediate);
      expect(batches).toEqual(i < 4 ? [1] : [1, 4]);
    }
    open();
    await Promise.all(calls);
  });

  it("prepares a batch beside a running one once eight wait, before it is full", async () => {
    const { encoder: held, batches, finish } = heldEncoder();
    const encoder = withBatching(held, { maxBatch: 32 });
    const calls: Promise<unknown>[] = [];
    const sizes: number[] = [];
    for (let i = 0; i < 9; i++) {
      calls.push(encoder.encode([`${i}`]));
      await turn();
      sizes.push(batches.length);
    }
    expect(sizes).toEqual([1, 1, 1, 1, 1, 1, 1, 1, 2]);
    await finish(Promise.all(calls));
    expect(batches.map(({ texts }) => texts.length)).toEqual([1, 8]);
  });

  it("starts the next batch before it answers, and answers in turns of the event loop", async () => {
    const { encoder: held, batches, finish } = heldEncoder();
    const encoder = withBatching(held, { maxBatch: 16 });
    const log: string[] = [];
    let turns = 0;
    const calls = letters(16).map((text) =>
      encoder.encode([text]).then(() => log.push(`${batches.length} begun, turn ${turns}`)),
    );
    await turn();
    const last = encoder.encode(["last"]);
    const count = () => {
      turns++;
      counting = setImmediate(count);
    };
    let counting = setImmediate(count);
    await finish(Promise.all(calls));
    clearImmediate(counting);
    await finish(last);
    expect(new Set(log.map((line) => line.split(",")[0]))).toEqual(new Set(["2 begun"]));
    expect(new Set(log).size).toBeGreaterThanOrEqual(4);
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

  it("gives every caller its first turn before any a second, also beyond a full batch", async () => {
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
    const times = new StageTimes();
    const ahead = encoder.encode(letters(3));
    await new Promise((resolve) => setTimeout(resolve, 1)); // two of the three are under way
    await collectStages(times, () => encoder.encode(["late"]));
    await ahead;
    expect(times.get("queue")).toBeGreaterThan(0);
  });

  it("disposes of the encoder after the work under way", async () => {
    const inner = fakeEncoder(10);
    const encoder = withBatching(inner, { maxBatch: 2 });
    const work = encoder.encode(letters(4));
    await encoder.dispose();
    expect((await work).length).toBe(4);
    expect(inner.disposed).toBe(true);
  });

  it("gives interactive inputs a batch of their own at once, whatever bulk work is under way", async () => {
    const { encoder: held, batches, finish } = heldEncoder();
    const encoder = withBatching(held, { maxBatch: 4 });
    const bulk = inBulk(() => encoder.encode(letters(100)));
    await turn();
    const search = encoder.encode(["search"]);
    await turn();
    expect(batches.map(({ texts, priority }) => [texts.length, priority])).toEqual([
      [4, "bulk"],
      [4, "bulk"],
      [1, "interactive"],
    ]);
    await finish(Promise.all([search, bulk]));
    expect((await bulk).length).toBe(100);
  });

  it("runs equal inputs once, of one call and of several", async () => {
    const inner = fakeEncoder(1);
    const encoder = withBatching(inner, { maxBatch: 8 });
    const [a, b] = await Promise.all([
      encoder.encode(["x", "xx", "x"]),
      encoder.encode(["xx", "xxx"]),
    ]);
    expect(inner.batches).toEqual([["x", "xxx", "xx"]]); // by turns
    const y = (characters: number) => Math.fround(Math.sin(0.1 * characters));
    expect(a.map((embedding) => embedding[1])).toEqual([1, 2, 1].map(y));
    expect(b.map((embedding) => embedding[1])).toEqual([2, 3].map(y));
  });

  it.each([
    [undefined, 2],
    [4, 4],
  ])(
    "has at most so many batches under way (maxInFlight %s): %d",
    async (maxInFlight, expected) => {
      const { encoder: held, batches, finish } = heldEncoder();
      const encoder = withBatching(held, { maxBatch: 1, maxInFlight });
      const call = encoder.encode(letters(6));
      await turn();
      expect(batches.length).toBe(expected);
      await finish(call);
      expect(batches.length).toBe(6);
    },
  );

  it("goes on with a shared input for whoever stays, and drops it when the last has gone", async () => {
    const { encoder: held, batches, finish } = heldEncoder();
    const encoder = withBatching(held, { maxBatch: 1 });
    const blocking = encoder.encode(letters(2)); // all that may be in flight
    await turn();
    const clients = Array.from({ length: 2 }, () => new AbortController());
    const [first, second] = clients.map(({ signal }) => encoder.encode(["shared"], signal));
    const other = encoder.encode(["other"], clients[1].signal);
    other.catch(() => undefined);
    clients[0].abort(new Error("gone"));
    await expect(first).rejects.toThrow("gone");
    await finish(blocking);
    await turn();
    expect(batches.slice(2).map(({ texts }) => texts)).toEqual([["shared"], ["other"]]);
    await finish(second);
    clients[1].abort(new Error("gone"));
    await expect(other).rejects.toThrow("gone");
    expect(batches[3].signal?.aborted).toBe(true); // it was under way
  });

  it("lets an interactive call take along an input that waits in bulk", async () => {
    const { encoder: held, batches, finish } = heldEncoder();
    const encoder = withBatching(held, { maxBatch: 1 });
    const bulk = inBulk(() => encoder.encode(["b0", "b1", "b2", "b3"]));
    await turn();
    const search = encoder.encode(["b3"]);
    await turn();
    expect(batches.map(({ texts }) => texts[0])).toEqual(["b0", "b1", "b3"]);
    await finish(Promise.all([search, bulk]));
    expect(batches.map(({ texts }) => texts[0])).toEqual(["b0", "b1", "b3", "b2"]);
  });

  it("fails every call that shares an input that cannot be encoded, and no other", async () => {
    const encoder = withBatching(fakeEncoder(), { maxBatch: 8 });
    const results = await Promise.allSettled([
      encoder.encode(["bad"]),
      encoder.encode(["x"]),
      encoder.encode(["xx", "bad"]),
    ]);
    expect(results.map(({ status }) => status)).toEqual(["rejected", "fulfilled", "rejected"]);
  });
});
