import { describe, expect, it } from "vitest";
import { MonoCollector } from "../../../src/media/audio/mono-collector.js";

const limits = { maxSeconds: 3600 };

describe("MonoCollector", () => {
  it("takes the mean of the channels", () => {
    const mono = new MonoCollector(limits);
    mono.add([Float32Array.of(1, 0.5), Float32Array.of(0, -0.5)], 2, 8000);
    expect(mono.finish()).toEqual({ sampleRateHz: 8000, samples: Float32Array.of(0.5, 0) });
  });

  it("keeps every sample of a sound that outgrows the buffer it began in", () => {
    const mono = new MonoCollector(limits);
    const size = 1 << 20;
    const pieces = 11;
    for (let piece = 0; piece < pieces; piece++)
      mono.add([Float32Array.from({ length: size }, (_, i) => piece + i / size)], size, 48_000);
    const { samples } = mono.finish();
    expect(samples.length).toBe(pieces * size);
    let wrong = 0;
    for (let i = 0; i < samples.length; i++) if (samples[i] !== Math.fround(i / size)) wrong++;
    expect(wrong).toBe(0);
  });

  it.each([
    { frames: 8001, channels: 1, sampleRateHz: 8000, option: "maxAudioSeconds" },
    { frames: 5001, channels: 1, sampleRateHz: 600_000, option: "maxAudioSamples" },
    { frames: 2501, channels: 16, sampleRateHz: 48_000, option: "maxAudioSamples" },
  ])("stops at $frames frames of $channels channels at $sampleRateHz Hz: $option", (sound) => {
    const { frames, channels, sampleRateHz, option } = sound;
    const piece = (length: number) =>
      Array.from({ length: channels }, () => new Float32Array(length));
    const mono = new MonoCollector({
      maxSeconds: 1,
      maxSamples: option.endsWith("Samples") ? 5000 : 1e6,
    });
    mono.add(piece(frames - 1), frames - 1, sampleRateHz);
    expect(() => mono.add(piece(1), 1, sampleRateHz)).toThrow(
      expect.objectContaining({ code: "too_large", message: expect.stringContaining(option) }),
    );
  });

  it.each([0, 999, 768_001, Number.NaN])(
    "refuses a rate of %d Hz before it keeps anything",
    (rate) => {
      expect(() => new MonoCollector(limits).add([new Float32Array(1)], 1, rate)).toThrow(
        expect.objectContaining({ code: "unsupported_media" }),
      );
    },
  );
});
