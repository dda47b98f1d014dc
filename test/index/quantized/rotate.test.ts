import { describe, expect, it } from "vitest";
import { rotate } from "../../../src/index/quantized/rotate.js";
import { seededRandom } from "../../../src/math/random.js";
import { dot } from "../../../src/math/vector.js";

const random = seededRandom(2);
const vectorOf = (n: number) => Float32Array.from({ length: n }, () => random.normal());
const turned = (vector: Float32Array) => {
  const copy = Float32Array.from(vector);
  rotate(copy);
  return copy;
};

describe("rotate", () => {
  it.each([1, 2, 3, 4, 7, 8, 63, 100, 512, 768, 1152])(
    "keeps dot products and lengths of %i dimensions",
    (n) => {
      const [a, b] = [vectorOf(n), vectorOf(n)];
      // Measured: 2e-6 of the product of the lengths at most.
      const allowed = 1e-5 * Math.sqrt(dot(a, a) * dot(b, b));
      expect(Math.abs(dot(turned(a), turned(b)) - dot(a, b))).toBeLessThan(allowed);
      expect(Math.abs(dot(turned(a), turned(a)) - dot(a, a))).toBeLessThan(1e-5 * dot(a, a));
    },
  );

  it.each([512, 640, 768, 1152])(
    "spreads one large number over the others (%i dimensions)",
    (n) => {
      for (const place of [0, 1, n >> 1, n - 1]) {
        const vector = new Float32Array(n);
        vector[place] = 1;
        const largest = Math.max(...turned(vector).map(Math.abs));
        // Half of the weight at most stays together when the transform is done twice.
        expect(largest, String(place)).toBeLessThan(0.3);
      }
    },
  );

  it("turns the same vector the same way each time", () => {
    const vector = vectorOf(96);
    expect(turned(vector)).toEqual(turned(vector));
  });
});
