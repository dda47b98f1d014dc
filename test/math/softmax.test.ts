import { describe, expect, it } from "vitest";
import { logSumExp, sigmoid, softmax } from "../../src/math/softmax.js";

describe("softmax", () => {
  it("is [0.25, 0.75] for [0, ln 3]", () => {
    const [a, b] = softmax([0, Math.log(3)]);
    expect(a).toBeCloseTo(0.25, 12);
    expect(b).toBeCloseTo(0.75, 12);
  });

  it("stays finite for logits of a thousand", () => {
    expect([...softmax([1000, 1000])]).toEqual([0.5, 0.5]);
    expect(logSumExp([1000, 1000])).toBeCloseTo(1000 + Math.LN2, 10);
    expect(sigmoid(-1000)).toBe(0);
    expect(sigmoid(1000)).toBe(1);
    expect(sigmoid(0)).toBe(0.5);
  });
});
