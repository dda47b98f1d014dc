import { describe, expect, it } from "vitest";
import { applyHead, type ProjectionHead, readHead, writeHead } from "../../src/encoders/head.js";
import { headSpace } from "../../src/encoders/head-space.js";
import { seededRandom } from "../../src/math/random.js";
import { normalize } from "../../src/math/vector.js";
import { initialHead } from "../../src/training/initial-head.js";

const linear: ProjectionHead = {
  kind: "linear",
  layers: [
    {
      weight: Float32Array.of(0, 2, 1, 0, 0, 0),
      bias: Float32Array.of(0, 1),
      dimensionsIn: 3,
      dimensionsOut: 2,
    },
  ],
};

describe("applyHead", () => {
  it("is unit(x W + b) for a linear head", () => {
    // (1, 3, 5) W = (3, 2), plus the bias (3, 3)
    const [y] = applyHead(linear, [Float32Array.of(1, 3, 5)]);
    expect(y[0]).toBeCloseTo(Math.SQRT1_2, 6);
    expect(y[1]).toBeCloseTo(Math.SQRT1_2, 6);
  });
  it("gives a batch what it gives one by one, bit for bit", () => {
    const random = seededRandom(1);
    const rows = Array.from({ length: 9 }, () =>
      Float32Array.from({ length: 6 }, () => random.normal()),
    );
    for (const kind of ["linear", "mlp", "residual"] as const) {
      const head = initialHead({ kind, hidden: 5 }, 6, 6, random);
      expect(applyHead(head, rows)).toEqual(rows.map((row) => applyHead(head, [row])[0]));
    }
  });
  it("adds the products in the order of the inputs", () => {
    const random = seededRandom(2);
    for (const size of [3, 4, 6, 9]) {
      const head = initialHead({ kind: "linear", hidden: 5 }, size, 7, random);
      const [{ weight, bias }] = head.layers;
      const x = Float32Array.from({ length: size }, () => random.normal());
      const y = Float64Array.from(bias);
      for (const [i, value] of x.entries())
        for (let j = 0; j < 7; j++) y[j] += value * weight[7 * i + j];
      expect(applyHead(head, [x])).toEqual([normalize(y)]);
    }
  });
  it("refuses an embedding of another length", () => {
    expect(() => applyHead(linear, [new Float32Array(4)])).toThrow(
      "takes 3 numbers but was given 4",
    );
  });
});

describe("readHead", () => {
  it.each(["linear", "mlp", "residual"] as const)(
    "reads the %s head that writeHead wrote",
    (kind) => {
      const head = initialHead({ kind, hidden: 5, ratio: 0.3 }, 6, 6, seededRandom(1));
      expect(readHead(writeHead(head, { lineage: "x" }))).toEqual(head);
    },
  );

  /** A file with this header and some bytes of data. */
  const file = (header: unknown, dataBytes = 64) => {
    const text = Buffer.from(JSON.stringify(header));
    const bytes = Buffer.alloc(8 + text.length + dataBytes);
    bytes.writeBigUInt64LE(BigInt(text.length));
    text.copy(bytes, 8);
    return bytes;
  };
  const metadata = { format: "crossmodal-head", kind: "linear" };
  const tensor = (shape: unknown, from: unknown, to: unknown) => ({
    dtype: "F32",
    shape,
    data_offsets: [from, to],
  });
  it.each([
    ["nothing", Buffer.alloc(0)],
    ["a header longer than the file", Buffer.from([255, 255, 255, 255, 255, 255, 255, 127, 123])],
    ["a header that is not an object", file([1])],
    ["a header that is null", file(null)],
    ["a tensor that is null", file({ __metadata__: metadata, weight: null })],
    ["metadata that is null", file({ __metadata__: null })],
    ["another format", file({ __metadata__: { format: "pt" } })],
    ["data outside the file", file({ __metadata__: metadata, weight: tensor([40], 0, 160) })],
    ["data before its place", file({ __metadata__: metadata, weight: tensor([4], -16, 0) })],
    [
      "negative sides",
      file({ __metadata__: metadata, weight: tensor([-2, -2], 0, 16), bias: tensor([-2], 0, -8) }),
    ],
    [
      "half a side",
      file({ __metadata__: metadata, weight: tensor([0.5, 8], 0, 16), bias: tensor([8], 0, 32) }),
    ],
    ["an offset between bytes", file({ __metadata__: metadata, weight: tensor([4], 0.5, 16.5) })],
    [
      "a name of the language",
      file(
        JSON.parse('{"__metadata__":{"format":"crossmodal-head","kind":"linear"},"__proto__":{}}'),
      ),
    ],
  ])("refuses %s", (_, bytes) => {
    expect(() => readHead(bytes)).toThrowError(expect.objectContaining({ code: "model_corrupt" }));
  });

  it("refuses a number that is not finite", () => {
    const head = {
      ...linear,
      layers: [{ ...linear.layers[0], bias: Float32Array.of(0, Number.NaN) }],
    };
    expect(() => readHead(writeHead(head as ProjectionHead))).toThrow("NaN");
  });
});

describe("headSpace", () => {
  it("is the base space with eight digits that depend on every file and its place", () => {
    const [x, y] = [Uint8Array.of(1), Uint8Array.of(2)];
    expect(headSpace("clip@1", [x, y])).toMatch(/^clip@1\+head-[0-9a-f]{8}$/);
    expect(
      new Set(
        [[x, y], [y, x], [x], [Uint8Array.of(1, 2), Uint8Array.of()]].map((f) => headSpace("c", f)),
      ).size,
    ).toBe(4);
  });
});
