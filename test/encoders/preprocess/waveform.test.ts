import { describe, expect, it } from "vitest";
import { peaksOf, waveform } from "../../../src/encoders/preprocess/waveform.js";

describe("peaksOf", () => {
  it("is the largest sample of each part, whatever its sign", () => {
    expect(peaksOf(Float32Array.of(0, -1, 0.5, 0), 2)).toEqual([1, 0.5]);
  });

  it("is silent where a sound is shorter than its parts, or empty", () => {
    expect(peaksOf(Float32Array.of(0.5), 4).reduce((sum, peak) => sum + peak)).toBe(0.5);
    expect(peaksOf(new Float32Array(), 2)).toEqual([0, 0]);
  });
});

describe("waveform", () => {
  const lengths = (samples: Float32Array) => {
    const svg = new TextDecoder().decode(waveform({ sampleRateHz: 8000, samples }).bytes);
    return [...svg.matchAll(/v([\d.]+)/g)].map(([, length]) => Number(length));
  };

  it("draws a bar as long as its part is loud, against the loudest", () => {
    const rising = Float32Array.from(
      { length: 12_000 },
      (_, i) => (0.2 * Math.floor(i / 100 + 1)) / 120,
    );
    expect(lengths(rising)).toEqual(
      Array.from({ length: 120 }, (_, i) => Math.max(1, Math.round(((i + 1) / 120) * 46))),
    );
  });

  it("draws silence, and what is hardly louder, as a line", () => {
    expect(new Set(lengths(new Float32Array(1000)))).toEqual(new Set([1]));
    expect(Math.max(...lengths(new Float32Array(1000).fill(1e-5)))).toBe(1);
  });
});
