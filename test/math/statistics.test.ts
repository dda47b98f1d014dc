import { describe, expect, it } from "vitest";
import { seededRandom } from "../../src/math/random.js";
import { bootstrap, bootstrapMean, mean, median } from "../../src/math/statistics.js";

describe("mean and median", () => {
  it("are 3 and 2 of 1, 2 and 6; the median of four is the mean of the middle two", () => {
    expect(mean([1, 2, 6])).toBe(3);
    expect(median([6, 1, 2])).toBe(2);
    expect(median([1, 8, 7, 2])).toBe(4.5);
  });
});

describe("bootstrap", () => {
  it("leaves out draws whose statistic does not exist", () => {
    const ofDifferent = (drawn: Uint32Array) => (drawn[0] === drawn[1] ? Number.NaN : 5);
    expect(bootstrap(2, ofDifferent, seededRandom(1))).toEqual([5, 5]);
  });
});

describe("bootstrapMean", () => {
  it("is close to the normal approximation for a share of 1,000", () => {
    const values = Array.from({ length: 1000 }, (_, i) => (i < 300 ? 1 : 0));
    const [low, high] = bootstrapMean(values, seededRandom(1));
    const half = 1.96 * Math.sqrt((0.3 * 0.7) / 1000);
    expect(low).toBeCloseTo(0.3 - half, 2); // measured difference: below .003
    expect(high).toBeCloseTo(0.3 + half, 2);
  });
});
