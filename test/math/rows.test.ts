import { describe, expect, it } from "vitest";
import { contentOrder } from "../../src/math/content-order.js";
import { seededRandom } from "../../src/math/random.js";
import {
  areAlike,
  concat,
  cosines,
  distinctRows,
  meanRow,
  type Rows,
  rowsOf,
  spread,
  squaredDistances,
  take,
  unitRows,
} from "../../src/math/rows.js";
import { randomUnitRows } from "../helpers/matrices.js";

const rows = (...vectors: number[][]): Rows => rowsOf(vectors);
const unit = (count: number, seed: number): Rows => ({
  values: Float32Array.from(randomUnitRows(count, 6, seed).data),
  dimensions: 6,
});

describe("unitRows", () => {
  it("brings rows of any length to length 1, from the smallest float32 to the largest", () => {
    const given = rows([3, 4], [-2, 0], [1e-45, 0], [3e38, 3e38]);
    const { values } = unitRows(given, "a");
    const expected = [0.6, 0.8, -1, 0, 1, 0, Math.SQRT1_2, Math.SQRT1_2];
    for (const [k, value] of values.entries()) expect(value).toBeCloseTo(expected[k], 6);
    expect([...given.values.subarray(0, 2)]).toEqual([3, 4]);
  });

  it("leaves rows that are of length 1 as they are, uncopied", () => {
    const given = { ...rows([1, 0], [0.6, 0.8]), head: "locked" };
    expect(unitRows(given, "a")).toBe(given);
  });

  it.each([
    [rows([1, 0], [0, Number.NaN]), "holds NaN in row 1"],
    [rows([1, 0], [Number.POSITIVE_INFINITY, 0]), "holds Infinity in row 1"],
    [rows([1, 0], [0, -0]), 'Row 1 of "a" is all zeros'],
    [{ values: new Float32Array(5), dimensions: 2 }, "Expected rows of 2 numbers"],
  ])("names the row that has no direction (%#)", (given, message) => {
    const refusal = expect.objectContaining({ code: "invalid_input", param: "a" });
    expect(() => unitRows(given, "a")).toThrow(message);
    expect(() => unitRows(given, "a")).toThrow(refusal);
  });

  it("spells the field of a row where that is asked for", () => {
    const run = () => unitRows(rows([1], [0]), "x", { paramOf: (row) => `x[${row}]` });
    expect(run).toThrow(expect.objectContaining({ param: "x[1]" }));
  });
});

describe("cosines, squaredDistances, spread", () => {
  it("are what a sum over all numbers gives", () => {
    const [a, b] = [unit(5, 1), unit(7, 2)];
    const at = ({ values }: Rows, i: number, d: number) => values[i * 6 + d];
    const similarity = cosines(a, b);
    for (let i = 0; i < 5; i++) {
      for (let j = 0; j < 7; j++) {
        let sum = 0;
        for (let d = 0; d < 6; d++) sum += at(a, i, d) * at(b, j, d);
        expect(similarity[i * 7 + j]).toBeCloseTo(sum, 6);
      }
      expect(squaredDistances(a, take(b, [0, 1, 2, 3, 4]))[i]).toBeCloseTo(
        2 - 2 * similarity[i * 7 + i],
        6,
      );
    }
  });

  it("are exactly 0 for rows that are the same", () => {
    const same = take(unit(1, 3), new Uint32Array(90));
    expect(spread(same)).toBe(0);
    expect(squaredDistances(same, same).every((x) => x === 0)).toBe(true);
    expect(areAlike(same)).toBe(true);
    expect(distinctRows(same)).toBe(1);
  });

  it("is 1 for rows in opposite directions, whose mean is 0", () => {
    const opposite = rows([1, 0], [-1, 0]);
    expect([...meanRow(opposite)]).toEqual([0, 0]);
    expect(spread(opposite)).toBe(1);
    expect(areAlike(opposite)).toBe(false);
  });
});

describe("take and concat", () => {
  it("put rows in the order that is asked for", () => {
    const given = rows([1, 2], [3, 4], [5, 6]);
    const taken = take(given, [2, 0, 2]);
    expect([...taken.values]).toEqual([5, 6, 1, 2, 5, 6]);
    expect([...concat([given, taken]).values]).toEqual([1, 2, 3, 4, 5, 6, 5, 6, 1, 2, 5, 6]);
  });
});

describe("contentOrder", () => {
  it("puts the same rows in one order, however they come, and in another for another seed", () => {
    const given = unit(200, 4);
    const ordered = take(given, contentOrder([given], 1));
    const shuffled = take(given, seededRandom(2).permutation(200));
    expect(take(shuffled, contentOrder([shuffled], 1))).toEqual(ordered);
    expect(take(given, contentOrder([given], 2))).not.toEqual(ordered);
    expect([...contentOrder([given], 1)].sort((x, y) => x - y)).toEqual([...Array(200).keys()]);
  });

  it("cuts sorted rows into halves that are alike", () => {
    const sorted = rows(...Array.from({ length: 1000 }, (_, i) => [i, 1]));
    const half = contentOrder([sorted], 1).subarray(0, 500);
    const mean = half.reduce((sum, i) => sum + i, 0) / 500;
    // 4 standard errors: 4 * 289 / sqrt(500) * sqrt(.5) = 37
    expect(Math.abs(mean - 499.5)).toBeLessThan(40);
  });
});
