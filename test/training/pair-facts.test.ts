import { describe, expect, it } from "vitest";
import { seededRandom } from "../../src/math/random.js";
import type { Rows } from "../../src/math/rows.js";
import { pairFacts, zeroShotHits } from "../../src/training/pair-facts.js";
import { compareFacts } from "../../src/training/run-measures.js";
import { randomUnitRows } from "../helpers/matrices.js";

const rows = (count: number, seed: number): Rows => ({
  values: Float32Array.from(randomUnitRows(count, 6, seed).data),
  dimensions: 6,
});
const flat = (...values: number[]): Rows => ({ values: Float32Array.from(values), dimensions: 2 });

describe("pairFacts", () => {
  it("ranks as sorting does", () => {
    const [a, b] = [rows(30, 1), rows(30, 2)];
    const { rankAToB, rankBToA, squaredDistance } = pairFacts(a, b);
    const cosine = (i: number, j: number) => {
      let sum = 0;
      for (let d = 0; d < 6; d++) sum += a.values[i * 6 + d] * b.values[j * 6 + d];
      return sum;
    };
    const all = Array.from({ length: 30 }, (_, i) => i);
    for (const i of all) {
      expect(rankAToB[i]).toBe(1 + [...all].sort((j, k) => cosine(i, k) - cosine(i, j)).indexOf(i));
      expect(rankBToA[i]).toBe(1 + [...all].sort((j, k) => cosine(k, i) - cosine(j, i)).indexOf(i));
      expect(squaredDistance[i]).toBeCloseTo(2 - 2 * cosine(i, i), 5);
    }
  });
  it("counts ties against the pair, so that a collapsed space finds nothing", () => {
    const same = { values: new Float32Array(24).fill(0.5), dimensions: 4 };
    expect([...pairFacts(same, same).rankAToB]).toEqual([6, 6, 6, 6, 6, 6]);
  });
  it("takes everything of the label as found", () => {
    const a = flat(1, 0, 0, 1, 0.6, 0.8);
    const b = flat(0, 1, 0, 1, 1, 0);
    // Pair 0 alone is last; with label 0 on pairs 0 and 2 the first result is right.
    expect(pairFacts(a, b).rankAToB[0]).toBe(3);
    expect(pairFacts(a, b, Int32Array.of(0, 1, 0)).rankAToB[0]).toBe(1);
  });
});

describe("compareFacts", () => {
  it("finds nothing between a space and itself", () => {
    const facts = pairFacts(rows(40, 1), rows(40, 2));
    for (const measure of Object.values(compareFacts(facts, facts, seededRandom(1)))) {
      expect(measure).toMatchObject({ change: 0, interval: [0, 0], says: "unclear" });
    }
  });
  it("has the closed forms of gap and alignment for opposite points", () => {
    const facts = pairFacts(flat(1, 0, 1, 0), flat(-1, 0, -1, 0));
    const measures = compareFacts(facts, facts, seededRandom(1));
    expect(measures.centroid_gap.before).toBe(2);
    expect(measures.alignment.before).toBe(4);
  });
});

describe("zeroShotHits", () => {
  it("asks for the class whose known texts are closest, and leaves out labels without one", () => {
    const a = flat(1, 0, 0, 1, 0, 1, 0, 1);
    const b = flat(1, 0, 0, 1, 1, 0, 0, 1);
    const labels = Int32Array.of(0, 1, 0, 2);
    // Item 2 has label 0 but points to class 1; item 3 has a label that no known pair has.
    expect([...zeroShotHits(a, b, labels, [0, 1], [0, 1, 2, 3])]).toEqual([1, 1, 0]);
  });
});
