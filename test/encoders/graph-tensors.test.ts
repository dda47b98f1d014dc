import { describe, expect, it } from "vitest";
import { GraphInputs, outputRows } from "../../src/encoders/graph-tensors.js";
import { lookUpPixels, pixelTables } from "../../src/encoders/preprocess/normalize-pixels.js";
import type { Feed, SessionInfo, Tensor } from "../../src/encoders/session.js";

const graph = (type: string, provider: SessionInfo["provider"] = "cpu") => ({
  inputs: [{ name: "x", type, dims: [] }],
  provider,
});
const floats = (...values: number[]): Tensor => ({
  type: "float32",
  dims: [values.length, 1],
  data: Float32Array.from(values),
});

const graphInputs = (feeds: Record<string, Feed>, info: ReturnType<typeof graph>) =>
  new GraphInputs(info, { isBatched: true }).tensorsOf(feeds);

describe("the inputs of a graph", () => {
  it.each([1, 2, 3, 5, 8, 21])("are padded to a power of two on CUDA alone: %d rows", (n) => {
    const feed = floats(...Array.from({ length: n }, (_, i) => i + 1));
    const size = 2 ** Math.ceil(Math.log2(n));
    const { x } = graphInputs({ x: feed }, graph("float32", "cuda"));
    expect(x.dims).toEqual([size, 1]);
    expect([...x.data]).toEqual([...feed.data, ...new Array(size - n).fill(1)]);
    expect(graphInputs({ x: feed }, graph("float32")).x).toEqual(feed);
    // A training step's loss would count the padding
    const training = new GraphInputs(graph("float32", "cuda"));
    expect(training.tensorsOf({ x: feed }).x).toEqual(feed);
  });

  it("are narrowed where the graph asks for it", () => {
    const halves = graphInputs({ x: floats(1, -2, 65504, 1e6, 2 ** -24, 0.1) }, graph("float16"));
    // IEEE 754 binary16; 0.1 is 0x2e66
    expect(halves.x).toEqual({
      type: "float16",
      dims: [6, 1],
      data: Uint16Array.of(0x3c00, 0xc000, 0x7bff, 0x7c00, 0x0001, 0x2e66),
    });
    const ids: Tensor = { type: "int64", dims: [1, 2], data: BigInt64Array.of(7n, 49407n) };
    expect(graphInputs({ x: ids }, graph("int32")).x.data).toEqual(Int32Array.of(7, 49407));
    expect(graphInputs({ x: ids }, graph("int64")).x).toBe(ids);
  });

  it.each(["float32", "float16"])("are pictures looked up by channel, in %s", (type) => {
    const spec = { rescale: 1 / 255, mean: [0.5, 0.25, 0], std: [0.5, 0.5, 1] };
    const tables = pixelTables(spec as never);
    const pixels = [
      Uint8Array.of(0, 0, 0, 255, 255, 255, 51, 102, 153, 1, 2, 3),
      Uint8Array.from({ length: 12 }, (_, i) => 20 * i),
    ];
    const feed = { type: "pictures", dims: [2, 3, 2, 2], rows: pixels, tables } as const;
    const { x } = graphInputs({ x: feed }, graph(type));
    const closed = pixels.flatMap((picture) =>
      [0, 1, 2].flatMap((c) =>
        [0, 1, 2, 3].map((i) => (picture[3 * i + c] / 255 - spec.mean[c]) / spec.std[c]),
      ),
    );
    const plain = graphInputs({ x: { ...floats(...closed), dims: [2, 3, 2, 2] } }, graph(type));
    expect(x).toEqual(plain.x);
    const alone = new Float32Array(12);
    lookUpPixels(pixels[1], tables, alone);
    expect([...alone]).toEqual([...Float32Array.from(closed.slice(12))]);
  });
});

describe("rows", () => {
  const rows = [Float32Array.of(1, 2), Float32Array.of(3, 0.1), Float32Array.of(5, 6)];
  const feed = { type: "float32", dims: [3, 2], rows } as const;

  it.each(["float32", "float16"])("are joined and padded in %s", (type) => {
    const joined: Tensor = { ...floats(1, 2, 3, 0.1, 5, 6), dims: [3, 2] };
    expect(graphInputs({ x: feed }, graph(type))).toEqual(graphInputs({ x: joined }, graph(type)));
    const onCuda = graph(type, "cuda");
    expect(graphInputs({ x: feed }, onCuda)).toEqual(graphInputs({ x: joined }, onCuda));
  });

  it("leave nothing behind for a smaller batch after them", () => {
    const inputs = new GraphInputs(graph("float32", "cuda"), { isBatched: true });
    inputs.tensorsOf({ x: feed });
    const one = { ...feed, dims: [1, 2], rows: [Float32Array.of(8, 9)] };
    expect(inputs.tensorsOf({ x: one })).toEqual({
      x: { type: "float32", dims: [1, 2], data: Float32Array.of(8, 9) },
    });
    expect([...inputs.tensorsOf({ x: feed }).x.data]).toEqual(
      [1, 2, 3, 0.1, 5, 6, 1, 2].map(Math.fround),
    );
  });
});

describe("the output of a graph", () => {
  it("has the rows that were asked for, in float32, and is a copy", () => {
    const padded = floats(1, 2, 3, 1);
    const rows = outputRows(padded, 3);
    expect(rows).toEqual(floats(1, 2, 3));
    expect(rows.data.buffer).not.toBe(padded.data.buffer);
    const halves: Tensor = {
      type: "float16",
      dims: [3, 2],
      data: Uint16Array.of(0x3c00, 0xc000, 0x2e66, 0x0001, 0x7bff, 0x7c00),
    };
    // As a Float16Array is: its elements are not the bits
    const { buffer, byteOffset, length } = halves.data;
    const numbers = { buffer, byteOffset, length } as unknown as Uint16Array;
    expect(outputRows({ ...halves, data: numbers }, 2)).toEqual(outputRows(halves, 2));
    expect(outputRows(halves, 2)).toEqual({
      type: "float32",
      dims: [2, 2],
      data: Float32Array.of(1, -2, 0.0999755859375, 2 ** -24),
    });
  });
});
