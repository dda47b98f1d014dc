import { describe, expect, it } from "vitest";
import { applyHead } from "../../src/encoders/head.js";
import { closestOrthogonal, solvePositive } from "../../src/math/decompositions.js";
import { type Matrix, multiply, multiplyTransposed } from "../../src/math/matrix.js";
import type { Rows } from "../../src/math/rows.js";
import { fitBridge } from "../../src/training/bridge.js";
import { crossRecall } from "../../src/training/bridge-report.js";
import { softRetrieve } from "../../src/training/text-pivot.js";
import { largestDifference } from "../helpers/golden.js";
import { randomUnitRows, unitRows } from "../helpers/matrices.js";

const d = 12;
const rotation = closestOrthogonal(randomUnitRows(d, d, 9));
const rowsOf = (m: Matrix): Rows => ({ values: Float32Array.from(m.data), dimensions: m.columns });
const list = ({ values, dimensions }: Rows) =>
  Array.from({ length: values.length / dimensions }, (_, i) =>
    values.subarray(i * dimensions, (i + 1) * dimensions),
  );
const shifted = (m: Matrix, by: number): Matrix =>
  unitRows({ ...m, data: m.data.map((x, i) => x + (i % d === 0 ? by : 0)) });

/**
 * Texts in A and, turned, in B. Sounds and pictures are the same 200 things, each with its
 * modality's own offset.
 */
const texts = randomUnitRows(300, d, 1);
const things = randomUnitRows(200, d, 2);
const data = {
  textsFrom: rowsOf(texts),
  textsTo: rowsOf(multiply(texts, rotation)),
  memoryFrom: rowsOf(shifted(things, 1)),
  memoryTo: rowsOf(shifted(multiply(things, rotation), -1)),
};
const labels = Array.from({ length: 200 }, (_, i) => `thing ${i}`);
const pictures = { rows: data.memoryTo, labels };

describe("solvePositive and closestOrthogonal", () => {
  it("solve A X = B, and give back a rotation and the identity of its Gram matrix", () => {
    const root = randomUnitRows(d, d, 4);
    const a = multiplyTransposed(root, root);
    for (let i = 0; i < d; i++) a.data[i * d + i] += 1;
    const x = randomUnitRows(d, 3, 5);
    expect(largestDifference(solvePositive(a, multiply(a, x)).data, x.data)).toBeLessThan(1e-12);
    expect(largestDifference(closestOrthogonal(rotation).data, rotation.data)).toBeLessThan(1e-12);
    const gram = multiplyTransposed(rotation, rotation);
    expect(
      largestDifference(
        gram.data,
        gram.data.map((_, i) => (i % (d + 1) === 0 ? 1 : 0)),
      ),
    ).toBeLessThan(1e-12);
  });

  it("refuses a matrix that is not positive definite", () => {
    const a = { rows: 2, columns: 2, data: Float64Array.of(1, 2, 2, 1) };
    expect(() => solvePositive(a, a)).toThrow(RangeError);
  });
});

describe("fitBridge", () => {
  it("recovers the rotation between two spaces by Procrustes", async () => {
    const head = await fitBridge({
      method: "procrustes",
      textsFrom: data.textsFrom,
      textsTo: data.textsTo,
    });
    // float32 weights: measured 6e-8
    expect(largestDifference(head.layers[0].weight, rotation.data)).toBeLessThan(1e-6);
  });

  it("comes close to it by ridge, with the smallest penalty since nothing is noise", async () => {
    const head = await fitBridge({
      method: "ridge",
      textsFrom: data.textsFrom,
      textsTo: data.textsTo,
    });
    // Shrunk by 1e-4
    expect(largestDifference(head.layers[0].weight, rotation.data)).toBeLessThan(1e-3);
  });

  it.each(["ridge", "procrustes", "c-mcr"] as const)(
    "finds the picture of a sound that it never saw it with: %s",
    async (method) => {
      const head = await fitBridge({ ...data, method, epochs: 120 }, { threads: 1 });
      const crossed = rowsOf({
        rows: 200,
        columns: d,
        data: Float64Array.from(applyHead(head, list(data.memoryFrom)).flatMap((row) => [...row])),
      });
      const { at_1, at_10 } = crossRecall({ rows: crossed, labels }, pictures);
      expect(at_1.chance).toBeCloseTo(1 / 200, 12);
      expect(at_10.chance).toBeCloseTo(10 / 200, 12);
      expect(at_10.recall).toBeGreaterThan(10 * at_10.chance);
    },
  );

  it("names what does not fit", async () => {
    const short = { values: data.textsTo.values.slice(d), dimensions: d };
    await expect(fitBridge({ ...data, method: "ridge", textsTo: short })).rejects.toMatchObject({
      param: "texts",
    });
    const narrow = { values: new Float32Array(6), dimensions: 3 };
    await expect(fitBridge({ ...data, method: "ridge", memoryFrom: narrow })).rejects.toMatchObject(
      {
        param: "memoryFrom",
      },
    );
  });

  it.each(["ridge", "procrustes", "c-mcr"] as const)(
    "refuses texts that embed alike in either model: %s",
    async (method) => {
      const one = { values: new Float32Array(16 * d).fill(1 / Math.sqrt(d)), dimensions: d };
      const other = { values: data.textsTo.values.slice(0, 16 * d), dimensions: d };
      for (const [textsFrom, textsTo] of [
        [one, other],
        [other, one],
      ]) {
        await expect(fitBridge({ method, textsFrom, textsTo })).rejects.toMatchObject({
          code: "invalid_input",
          param: "texts",
          message: expect.stringContaining("1 distinct vector of 16"),
        });
      }
    },
  );

  it("fits texts of which the first four fifths are their mean", async () => {
    // The penalty is chosen on the last fifth: nothing can be fitted on the others.
    const rows = (last: number[][]) => ({
      values: Float32Array.from([...Array(16).fill([1, 0]), ...last].flat()),
      dimensions: 2,
    });
    const pairs = rows([
      [0.6, 0.8],
      [0.6, -0.8],
      [0.6, 0.8],
      [0.6, -0.8],
    ]);
    const texts = { ...pairs, values: pairs.values.map((x, k) => (k % 2 === 0 ? 0.8 : x || 0.6)) };
    const head = await fitBridge({ method: "ridge", textsFrom: pairs, textsTo: texts });
    expect(head.layers[0].weight.every(Number.isFinite)).toBe(true);
  });
});

describe("softRetrieve", () => {
  it("gives the value of the key it is sure of, and the direction between two that tie", () => {
    const keys = { values: Float32Array.of(1, 0, 0, 1), dimensions: 2 };
    const values = { values: Float32Array.of(0, 0, 1, 1, 0, 0), dimensions: 3 };
    const sure = softRetrieve({ values: Float32Array.of(1, 0), dimensions: 2 }, keys, values);
    expect(largestDifference(sure.values, [0, 0, 1])).toBeLessThan(1e-6);
    const half = softRetrieve(
      { values: Float32Array.of(Math.SQRT1_2, Math.SQRT1_2), dimensions: 2 },
      keys,
      values,
    );
    expect(largestDifference(half.values, [Math.SQRT1_2, 0, Math.SQRT1_2])).toBeLessThan(1e-6);
  });
});
