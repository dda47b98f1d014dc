import { describe, expect, it } from "vitest";
import { seededRandom } from "../../src/math/random.js";
import { hubs, pairCosines } from "../../src/training/pair-cosines.js";

describe("pairCosines", () => {
  it("counts the diagonal apart from the rest, from the lowest to the highest", () => {
    const { low, high, pairs, others, ...means } = pairCosines(
      Float32Array.of(1, 0, 0.25, 0, 1, 0, 0, 0.25, 0.5),
    );
    expect([low, high]).toEqual([0, 1]);
    expect([pairs.at(-1), pairs[30], pairs.reduce((a, b) => a + b)]).toEqual([2, 1, 3]);
    expect([others[0], others[15], others.reduce((a, b) => a + b)]).toEqual([4, 2, 6]);
    expect(means.mean_pairs).toBeCloseTo(2.5 / 3, 12);
    expect(means.mean_others).toBeCloseTo(0.5 / 6, 12);
  });

  it("puts everything in one step where all cosines are the same", () => {
    const { pairs, others } = pairCosines(new Float32Array(16).fill(0.5));
    expect([pairs[0], others[0]]).toEqual([4, 12]);
  });
});

describe("hubs", () => {
  it("finds the item that is near to every query", () => {
    const n = 30;
    const random = seededRandom(1);
    const similarity = Float32Array.from({ length: n * n }, (_, at) =>
      at % n === 7 ? 2 : random.uniform(),
    );
    // A slow and obvious implementation: sort each row.
    const found = new Array<number>(n).fill(0);
    for (let i = 0; i < n; i++) {
      const row = [...similarity.subarray(i * n, (i + 1) * n)];
      const order = [...row.keys()].sort((a, b) => row[b] - row[a]);
      for (const j of order.slice(0, 10)) found[j]++;
    }
    const mean = (values: number[]) => values.reduce((a, b) => a + b) / n;
    const moment = (power: number) => mean(found.map((count) => (count - mean(found)) ** power));
    const measured = hubs(similarity);
    expect(measured.largest).toBe(1);
    expect(measured.never).toBe(found.filter((count) => count === 0).length / n);
    const often = [...found.keys()]
      .filter((i) => found[i] >= 20)
      .sort((a, b) => found[b] - found[a]);
    expect(measured.items.map(({ row }) => found[row])).toEqual(
      often.slice(0, 10).map((row) => found[row]),
    );
    expect(measured.items[0]).toEqual({ row: 7, share: 1 });
    expect(measured.skewness).toBeCloseTo(moment(3) / moment(2) ** 1.5, 10);
  });

  it("is even where every query finds everything", () => {
    expect(hubs(Float32Array.from({ length: 25 }, (_, i) => i % 7))).toEqual({
      skewness: 0,
      largest: 1,
      never: 0,
      items: [],
    });
  });
});
