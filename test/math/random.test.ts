import { describe, expect, it } from "vitest";
import { seededRandom } from "../../src/math/random.js";

describe("seededRandom", () => {
  it("gives the same stream for the same seed and another for another", () => {
    const draw = (seed: number) => Array.from({ length: 5 }, seededRandom(seed).uniform);
    expect(draw(1)).toEqual(draw(1));
    expect(draw(1)).not.toEqual(draw(2));
  });

  it("is uniform and normal to within four standard errors over 100,000 draws", () => {
    const random = seededRandom(7);
    let uniform = 0;
    let normal = 0;
    let square = 0;
    const n = 100_000;
    for (let i = 0; i < n; i++) {
      uniform += random.uniform() / n;
      const z = random.normal();
      normal += z / n;
      square += (z * z) / n;
    }
    expect(Math.abs(uniform - 0.5)).toBeLessThan(4 * Math.sqrt(1 / 12 / n));
    expect(Math.abs(normal)).toBeLessThan(4 / Math.sqrt(n));
    expect(Math.abs(square - 1)).toBeLessThan(4 * Math.sqrt(2 / n));
  });

  it("permutes without loss", () => {
    expect([...seededRandom(3).permutation(100)].sort((a, b) => a - b)).toEqual(
      Array.from({ length: 100 }, (_, i) => i),
    );
  });
});
