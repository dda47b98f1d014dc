import { describe, expect, it } from "vitest";
import { powerSpectrum } from "../../src/math/fft.js";
import { seededRandom } from "../../src/math/random.js";

describe("powerSpectrum", () => {
  it.each([4, 8, 64, 1024])("is the squared discrete Fourier transform of %d samples", (n) => {
    const random = seededRandom(n);
    const frame = Float64Array.from({ length: n }, () => random.normal());
    const power = new Float64Array(n / 2 + 1);
    powerSpectrum(n)(frame, power);
    for (let k = 0; k <= n / 2; k++) {
      let re = 0;
      let im = 0;
      for (let t = 0; t < n; t++) {
        re += frame[t] * Math.cos((2 * Math.PI * ((k * t) % n)) / n);
        im += frame[t] * Math.sin((2 * Math.PI * ((k * t) % n)) / n);
      }
      expect(Math.abs(power[k] - (re * re + im * im))).toBeLessThan(1e-9 * n);
    }
  });

  it("refuses lengths that are not a power of two", () => {
    expect(() => powerSpectrum(1000)).toThrow(RangeError);
  });
});
