import { describe, expect, it } from "vitest";
import { batchingOf, bucketOf, bucketsUpTo, padRows } from "../../src/encoders/batch-buckets.js";
import { warmUp } from "../../src/encoders/first-inference.js";
import type { LoadedPack } from "../../src/encoders/load.js";
import type { Tensor } from "../../src/encoders/session.js";
import { createLog } from "../../src/log.js";

describe("bucketOf", () => {
  it("is the next power of two", () => {
    expect([1, 2, 3, 4, 5, 9, 17, 32, 33].map(bucketOf)).toEqual([1, 2, 4, 4, 8, 16, 32, 32, 64]);
  });
  it("has every bucket of a largest batch in bucketsUpTo", () => {
    expect(bucketsUpTo(1)).toEqual([1]);
    expect(bucketsUpTo(32)).toEqual([1, 2, 4, 8, 16, 32]);
    for (const n of [1, 7, 20, 32]) expect(bucketsUpTo(n)).toContain(bucketOf(n));
  });
});

describe("padRows", () => {
  it("repeats the first row behind the last, whatever the type", () => {
    const floats: Tensor = {
      type: "float32",
      dims: [3, 2],
      data: Float32Array.of(1, 2, 3, 4, 5, 6),
    };
    expect(padRows(floats, 4)).toEqual({
      ...floats,
      dims: [4, 2],
      data: Float32Array.of(1, 2, 3, 4, 5, 6, 1, 2),
    });
    const ids: Tensor = { type: "int64", dims: [1, 1], data: BigInt64Array.of(7n) };
    expect(padRows(ids, 2).data).toEqual(BigInt64Array.of(7n, 7n));
  });
});

describe("warmUp", () => {
  const packOn = (provider: string) => {
    const sizes: Record<string, number[]> = { text: [], image: [] };
    const seen = new Set<unknown>();
    const encoder = (modality: "text" | "image") => ({
      encode: async (inputs: unknown[]) => {
        sizes[modality].push(inputs.length);
        if (modality === "text") for (const text of inputs) expect(seen.has(text)).toBe(false);
        for (const input of inputs) seen.add(input);
      },
    });
    const towers = [
      { modality: "text", provider },
      { modality: "image", provider },
    ];
    const encoders = { text: encoder("text"), image: encoder("image") };
    return { pack: { encoders, towers } as unknown as LoadedPack, sizes };
  };
  it("runs each tower once in each batch size on CUDA, with texts that no cache answers", async () => {
    const { pack, sizes } = packOn("cuda");
    await warmUp([pack], 20, { log: createLog("silent") });
    expect(sizes).toEqual({ text: [1, 2, 4, 8, 16, 32], image: [1, 2, 4, 8, 16, 32] });
  });
  it("runs nothing more once the server stops", async () => {
    const { pack, sizes } = packOn("cuda");
    const stopping = AbortSignal.abort();
    await warmUp([pack], 20, { log: createLog("silent"), stopping });
    expect(sizes).toEqual({ text: [], image: [] });
  });
  it("runs one input elsewhere", async () => {
    const { pack, sizes } = packOn("cpu");
    await warmUp([pack], 32, { log: createLog("silent") });
    expect(sizes).toEqual({ text: [1], image: [1] });
  });
});

describe("batchingOf", () => {
  it.each([
    ["image", "cpu", 32, { maxBatch: 8 }],
    ["audio", "cpu", 4, { maxBatch: 4 }],
    ["text", "cpu", 32, { maxBatch: 32 }],
    ["image", "cuda", 32, { maxBatch: 32, maxInFlight: 4 }],
    ["text", "webgpu", 32, { maxBatch: 32, maxInFlight: 4 }],
  ] as const)("%s on %s with maxBatch %i is %o", (modality, provider, maxBatch, expected) => {
    const info = { inputs: [], outputs: [], provider, runtime: "" };
    expect(batchingOf(modality, maxBatch, { info })).toEqual(expected);
  });
});
