import { describe, expect, it } from "vitest";
import { auroc } from "../../src/math/auroc.js";
import { seededRandom } from "../../src/math/random.js";
import { reliability } from "../../src/math/reliability.js";

describe("auroc", () => {
  it("is how often known is above unknown, ties counting half", () => {
    expect(auroc([3, 2], [2, 1])).toBe(3.5 / 4);
    expect(auroc([1, 1], [1, 1])).toBe(0.5);
    expect(auroc([2], [1])).toBe(1);
    expect(auroc([1], [2])).toBe(0);
  });

  it("is the same over all pairs, with many ties", () => {
    const random = seededRandom(1);
    const known = Array.from({ length: 60 }, () => random.integer(20) + 3);
    const unknown = Array.from({ length: 80 }, () => random.integer(20));
    let wins = 0;
    for (const k of known) for (const u of unknown) wins += k > u ? 1 : k === u ? 0.5 : 0;
    expect(auroc(known, unknown)).toBeCloseTo(wins / (60 * 80), 12);
  });
});

describe("reliability", () => {
  it("is the weighted mean of |accuracy - confidence| of the bins", () => {
    expect(reliability([0.9, 0.9], [1, 0]).ece).toBeCloseTo(0.4, 12);
    // Bins (.2, .3]: confidence .25, accuracy .5; (.9, 1]: .95, 1
    const { ece, bins } = reliability([0.25, 0.25, 0.95, 0.95], [1, 0, 1, 1], 10);
    expect(ece).toBeCloseTo((0.25 + 0.05) / 2, 12);
    expect(bins[2]).toMatchObject({ count: 2, confidence: 0.25, accuracy: 0.5 });
    expect(bins[0]).toMatchObject({ count: 0, confidence: null, accuracy: null });
  });

  it("has 0 in the first bin, and an edge in the bin below it", () => {
    const { bins } = reliability([0, 0.5, 1], [0, 1, 1], 2);
    expect(bins.map(({ count }) => count)).toEqual([2, 1]);
  });
});
