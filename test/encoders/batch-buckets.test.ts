import { describe, expect, it } from "vitest";
import { bucketOf, bucketsUpTo, mediaBatch, padRows } from "../../src/encoders/batch-buckets.js";
import { warmUp } from "../../src/encoders/first-inference.js";
import type { LoadedPack } from "../../src/encoders/load.js";
import type { Session, SessionInfo, Tensor } from "../../src/encoders/session.js";
import { runTower, type Tower } from "../../src/encoders/tower.js";
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

/** A session that says it runs on `provider` and gives each row of x [n, 2] back. */
function fakeTower(provider: SessionInfo["provider"]): { tower: Tower; sizes: number[] } {
  const sizes: number[] = [];
  const session: Session = {
    info: {
      inputs: [{ name: "x", type: "float32", dims: ["n", 2] }],
      outputs: [{ name: "y", type: "float32", dims: ["n", 2] }],
      provider,
      runtime: "fake",
    },
    async run({ x }) {
      sizes.push(x.dims[0]);
      return { y: x };
    },
    close: async () => {},
  };
  const tower = {
    modelId: "fake",
    space: "fake@1",
    dimensions: 2,
    session,
    outputs: ["y"],
    oneByOne: false,
  };
  return { tower, sizes };
}
const rows = (n: number) => {
  const data = Float32Array.from({ length: 2 * n }, (_, i) =>
    i % 2 === 0 ? Math.cos(i) : Math.sin(i - 1),
  );
  return { x: { type: "float32", dims: [n, 2], data } as const };
};

describe("runTower on CUDA", () => {
  it("pads a batch up to its bucket and gives back the rows that were asked for", async () => {
    const { tower, sizes } = fakeTower("cuda");
    for (const n of [1, 2, 3, 5, 8, 21]) {
      const embeddings = await runTower(tower, rows(n), n);
      expect(embeddings.length).toBe(n);
      for (const [i, [x, y]] of embeddings.entries()) {
        expect(x).toBeCloseTo(Math.cos(2 * i), 6);
        expect(y).toBeCloseTo(Math.sin(2 * i), 6);
      }
    }
    expect(sizes).toEqual([1, 2, 4, 8, 8, 32]);
  });
  it("is not so on the CPU, where every size is as good", async () => {
    const { tower, sizes } = fakeTower("cpu");
    await runTower(tower, rows(5), 5);
    expect(sizes).toEqual([5]);
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
    await warmUp([pack], 20, createLog("silent"));
    expect(sizes).toEqual({ text: [1, 2, 4, 8, 16, 32], image: [1, 2, 4, 8, 16, 32] });
  });
  it("runs one input elsewhere", async () => {
    const { pack, sizes } = packOn("cpu");
    await warmUp([pack], 32, createLog("silent"));
    expect(sizes).toEqual({ text: [1], image: [1] });
  });
});

describe("mediaBatch", () => {
  it.each([
    ["cpu", 32, 8],
    ["cpu", 4, 4],
    ["cuda", 32, 32],
    ["webgpu", 32, 32],
  ] as const)("on %s with maxBatch %i is %i", (provider, maxBatch, expected) => {
    const info = { inputs: [], outputs: [], provider, runtime: "" };
    expect(mediaBatch(maxBatch, { info })).toBe(expected);
  });
});
