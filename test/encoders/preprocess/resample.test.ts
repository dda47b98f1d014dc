import { describe, expect, it } from "vitest";
import { resample, resampledLength } from "../../../src/encoders/preprocess/resample.js";

const tone = (hz: number, rate: number, seconds: number) =>
  Float32Array.from({ length: Math.round(rate * seconds) }, (_, i) =>
    Math.sin((2 * Math.PI * hz * i) / rate),
  );
/** Root mean square of the middle half: the edges hear the silence around the sound. */
const level = (x: Float32Array) => {
  const middle = x.subarray(x.length >> 2, (3 * x.length) >> 2);
  return Math.sqrt(middle.reduce((sum, v) => sum + v * v, 0) / middle.length);
};

describe("resample", () => {
  it.each([
    [8_000, 48_000],
    [11_025, 48_000],
    [44_100, 48_000],
    [44_100, 32_000],
    [44_101, 48_000],
    [96_000, 32_000],
    [192_000, 48_000],
  ])("keeps a 1 kHz tone from %d to %d Hz within 60 dB", (from, to) => {
    const out = resample(tone(1000, from, 0.5), from, to);
    const expected = tone(1000, to, 0.5);
    expect(out.length).toBe(Math.ceil((Math.round(from * 0.5) * to) / from));
    const error = Float32Array.from(out.subarray(0, expected.length), (v, i) => v - expected[i]);
    expect(20 * Math.log10(level(error) / level(expected))).toBeLessThan(-60);
  });

  it.each([44_101, 767_999])("gives the sum of scipy's resample_poly from %d Hz", (from) => {
    const to = 48_000;
    const samples = Float32Array.from({ length: 300 }, (_, i) => Math.sin(0.3 * i) + (i % 7) / 7);
    const out = resample(samples, from, to);
    const widest = Math.max(from, to);
    const reach = 10 * widest;
    const bessel = (x: number) => {
      let [term, sum] = [1, 1];
      for (let k = 1; k < 60; k++) sum += term *= (x / (2 * k)) ** 2;
      return sum;
    };
    const tap = (m: number) => {
      const x = m / widest;
      const sinc = x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
      return sinc * bessel(5 * Math.sqrt(Math.max(0, 1 - (m / reach) ** 2)));
    };
    let sum = 0;
    for (let m = -reach; m <= reach; m += 25) sum += 25 * tap(m);
    for (const k of [0, 7, out.length - 1]) {
      let expected = 0;
      for (const [i, sample] of samples.entries()) {
        const m = k * from - i * to;
        if (Math.abs(m) <= reach) expected += (sample * tap(m) * to) / sum;
      }
      expect(out[k]).toBeCloseTo(expected, 5);
    }
  });

  it.each([
    [44_100, 48_000],
    [44_101, 48_000],
    [48_000, 48_000],
  ])("gives any part of the result alone, from %d to %d Hz", (from, to) => {
    const samples = tone(1000, from, 0.1);
    const whole = resample(samples, from, to);
    expect(resampledLength(samples.length, from, to)).toBe(whole.length);
    for (const [start, end] of [
      [0, 10],
      [1000, 1500],
      [whole.length - 5, whole.length],
    ])
      expect(resample(samples, from, to, { start, end })).toEqual(whole.slice(start, end));
  });

  it("removes by 50 dB what the lower rate cannot hold, instead of folding it down", () => {
    expect(
      20 * Math.log10(level(resample(tone(22_000, 48_000, 0.5), 48_000, 32_000))),
    ).toBeLessThan(-50);
  });
});
