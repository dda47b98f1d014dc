import { describe, expect, it } from "vitest";
import { seededRandom } from "../../src/math/random.js";
import { meanReciprocalRank, ranks, recallAtK, transposed } from "../../src/training/recall.js";

describe("ranks", () => {
  it("counts the wrong candidates that are at least as similar", () => {
    const similarity = Float32Array.of(0.9, 0.1, 0.2, 0.5, 0.4, 0.5, 0.3, 0.3, 0.3);
    expect([...ranks(similarity, 3)]).toEqual([1, 3, 3]);
    expect([...ranks(transposed(similarity, 3), 3)]).toEqual([1, 1, 2]);
  });

  it("takes more candidates than queries", () => {
    expect([...ranks(Float32Array.of(0.1, 0.2, 0.3, 0.3, 0.2, 0.1), 2, (_, j) => j === 2)]).toEqual(
      [1, 3],
    );
  });

  it("is that of the best right candidate, and infinite where there is none", () => {
    const similarity = Float32Array.of(0.9, 0.5, 0.7, 0.1, 0.2, 0.3);
    expect([...ranks(similarity, 2, (i, j) => i === 0 && j > 0)]).toEqual([2, Infinity]);
  });

  it("is one more than the place in a full sort, on random numbers", () => {
    const random = seededRandom(3);
    const similarity = Float32Array.from({ length: 400 }, () => random.uniform());
    const slow = Array.from({ length: 20 }, (_, i) => {
      const row = [...similarity.subarray(i * 20, i * 20 + 20)];
      return [...row].sort((p, q) => q - p).indexOf(row[i]) + 1;
    });
    expect([...ranks(similarity, 20)]).toEqual(slow);
  });
});

describe("recallAtK, meanReciprocalRank", () => {
  it("are 2/3 and (1 + 1/2 + 1/7) / 3 of the ranks 1, 2, 7 at k = 5", () => {
    expect(recallAtK([1, 2, 7], 5)).toBeCloseTo(2 / 3, 12);
    expect(meanReciprocalRank([1, 2, 7])).toBeCloseTo((1 + 1 / 2 + 1 / 7) / 3, 12);
  });
});
