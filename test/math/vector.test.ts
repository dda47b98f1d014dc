import { describe, expect, it } from "vitest";
import { dot, meanVector, norm, normalize } from "../../src/math/vector.js";

describe("vector", () => {
  it("has the closed forms of a 3-4-5 triangle", () => {
    expect(dot([3, 4], [1, 2])).toBe(11);
    expect(norm([3, 4])).toBe(5);
    expect([...normalize([3, 4])]).toEqual([Math.fround(0.6), Math.fround(0.8)]);
    expect([...meanVector([Float32Array.of(1, 2), Float32Array.of(3, 6)])]).toEqual([2, 4]);
  });

  it("refuses to normalize what has no direction", () => {
    expect(() => normalize([0, 0])).toThrow(RangeError);
    expect(() => normalize([Number.NaN, 1])).toThrow(RangeError);
    expect(() => normalize([Number.POSITIVE_INFINITY, 1])).toThrow(RangeError);
  });
});
