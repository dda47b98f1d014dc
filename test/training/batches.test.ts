import { describe, expect, it } from "vitest";
import { seededRandom } from "../../src/math/random.js";
import { batchAt, drawBeta, drawSplit, epochBatches } from "../../src/training/batches.js";

const upTo = (n: number) => Array.from({ length: n }, (_, i) => i);
const shuffled = (n: number, seed = 1) => [...seededRandom(seed).permutation(n)];
const ascending = (x: number, y: number) => x - y;

describe("drawSplit", () => {
  it("uses every pair once", () => {
    const { train, validation, test } = drawSplit(shuffled(50), 0.1, 0.2, seededRandom(1));
    expect([train.length, validation.length, test.length]).toEqual([36, 4, 10]);
    expect([...train, ...validation, ...test].sort(ascending)).toEqual(upTo(50));
  });
  it("gives each part its share of every label, give or take a pair", () => {
    const labels = Int32Array.from({ length: 200 }, (_, i) => (i < 20 ? 1 : i < 60 ? 2 : 3));
    for (const seed of upTo(20)) {
      const split = drawSplit(shuffled(200, seed), 0.25, 0.2, seededRandom(seed), labels);
      expect(Object.values(split).flat().sort(ascending)).toEqual(upTo(200));
      const count = (part: readonly number[], label: number) =>
        part.filter((at) => labels[at] === label).length;
      for (const [label, pairs] of [
        [1, 20],
        [2, 40],
        [3, 140],
      ] as const) {
        expect(Math.abs(count(split.test, label) - 0.2 * pairs)).toBeLessThanOrEqual(1);
        expect(Math.abs(count(split.validation, label) - 0.2 * pairs)).toBeLessThanOrEqual(1);
      }
    }
  });
  it("trains on two labels whatever the seed, where one of them is on a single pair", () => {
    const labels = new Int32Array(300);
    labels[7] = 1;
    for (const seed of upTo(50)) {
      const { train, validation, test } = drawSplit(
        shuffled(300, seed),
        0.15,
        0.2,
        seededRandom(seed),
        labels,
      );
      expect(new Set(train.map((at) => labels[at])).size).toBe(2);
      expect([...train, ...validation, ...test].sort(ascending)).toEqual(upTo(300));
    }
  });
});

describe("epochBatches", () => {
  it("cuts pairs into equal batches of at most the batch size, each pair at most once", () => {
    const batches = epochBatches(upTo(400), 256, seededRandom(1));
    expect(batches.map(({ length }) => length)).toEqual([200, 200]);
    expect(batches.flat().sort(ascending)).toEqual(upTo(400));
  });
  it("never puts two pairs of one label into a batch", () => {
    const labels = Int32Array.from({ length: 60 }, (_, i) => (i < 30 ? 0 : i % 7));
    const batches = epochBatches(upTo(60), 5, seededRandom(1), labels);
    expect(batches.length).toBeGreaterThan(5);
    for (const batch of batches) expect(new Set(batch.map((at) => labels[at])).size).toBe(5);
    expect(new Set(batches.flat()).size).toBe(batches.flat().length);
  });
  it("leaves no pair alone in a batch, where it would have nothing to be told from", () => {
    const batches = epochBatches(upTo(5), 2, seededRandom(1));
    expect(batches.map(({ length }) => length)).toEqual([2, 2]);
  });
  it("is another order for another seed", () => {
    expect(epochBatches(upTo(40), 40, seededRandom(1))).not.toEqual(
      epochBatches(upTo(40), 40, seededRandom(2)),
    );
  });
  it("refuses pairs of one label only", () => {
    expect(() => epochBatches(upTo(4), 4, seededRandom(1), new Int32Array(4))).toThrow(
      "nothing to learn",
    );
  });
});

describe("batchAt", () => {
  const request = {
    a: { values: Float32Array.of(1, 0, 0, 1, -1, 0), dimensions: 2 },
    b: { values: Float32Array.of(0, 1, 1, 0, 0, -1), dimensions: 2 },
    labels: Int32Array.of(7, 8, 9),
  };
  it("takes the rows in the order of the positions", () => {
    const batch = batchAt(request, [2, 0]);
    expect([...batch.a]).toEqual([-1, 0, 1, 0]);
    expect([...(batch.labels as Int32Array)]).toEqual([9, 7]);
  });
  it("mixes each pair with the next and brings it back to unit length", () => {
    const { a } = batchAt(request, [0, 1], 0.5);
    for (const value of a) expect(value).toBeCloseTo(Math.SQRT1_2, 6);
  });
});

describe("drawBeta", () => {
  it("is nearly always next to 0 or 1 for a tiny alpha, and comes at once", () => {
    const random = seededRandom(1);
    const draws = Array.from({ length: 1000 }, () => drawBeta(1e-12, random));
    expect(draws.every((x) => x < 1e-3 || x > 1 - 1e-3)).toBe(true);
    expect(draws.filter((x) => x < 0.5).length).toBeGreaterThan(400);
  });

  it("has mean 1/2 and the variance 1 / (4 (2 alpha + 1))", () => {
    const random = seededRandom(1);
    const draws = Array.from({ length: 20_000 }, () => drawBeta(0.5, random));
    const mean = draws.reduce((sum, x) => sum + x, 0) / draws.length;
    const variance = draws.reduce((sum, x) => sum + (x - mean) ** 2, 0) / draws.length;
    expect(mean).toBeCloseTo(0.5, 1);
    expect(variance).toBeCloseTo(1 / 8, 2);
  });
});
