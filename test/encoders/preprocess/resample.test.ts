import { describe, expect, it } from "vitest";
import { resample } from "../../../src/encoders/preprocess/resample.js";

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

  it("removes by 50 dB what the lower rate cannot hold, instead of folding it down", () => {
    expect(
      20 * Math.log10(level(resample(tone(22_000, 48_000, 0.5), 48_000, 32_000))),
    ).toBeLessThan(-50);
  });
});
