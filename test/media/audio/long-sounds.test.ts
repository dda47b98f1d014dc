import { afterEach, describe, expect, it, vi } from "vitest";
import { decodeAudio } from "../../../src/media/audio/decode-audio.js";
import { SoundBuilder } from "../../../src/media/audio/sound-builder.js";
import { silentFlac, silentMp3, silentOpus } from "../../helpers/bombs.js";

/** Files of a few kilobytes, and what they are by the formats' rules. */
const files = [
  ["FLAC of 60 kB", silentFlac(5400, 48_000), 5400.083, 48_000], // whole frames of 65,535
  ["MP3 of 60 kB", silentMp3(60_000), 833 * 0.072, 8000],
  ["MP3 of 60 kB in free format", silentMp3(60_000, { freeFormat: true }), 2500 * 0.024, 48_000],
  ["Opus of 1 kB", silentOpus(300), 300 * 0.12, 48_000],
  ["Opus of 1 kB, 255 channels", silentOpus(1, 255), 0.12, 48_000],
] as const;

describe("sounds that are much longer than their files", () => {
  afterEach(() => vi.restoreAllMocks());

  it.each(files.slice(1))("decodes an %s", async (_, bytes, seconds, rate) => {
    const sound = await decodeAudio(bytes, { maxSeconds: 3600 });
    expect(sound.sampleRateHz).toBe(rate);
    expect(sound.samples.length / rate).toBeCloseTo(seconds, 1);
    expect(sound.samples.every((sample) => Math.abs(sample) < 1e-3)).toBe(true);
  });

  it.each(files)("refuses an %s before it decodes any", async (_, bytes, seconds) => {
    const add = vi.spyOn(SoundBuilder.prototype, "add");
    const limits = { maxSeconds: 0.9 * seconds };
    await expect(decodeAudio(bytes, limits)).rejects.toMatchObject({ code: "too_large" });
    const samples = { maxSeconds: 1e9, maxSamples: Math.floor(7000 * seconds) };
    await expect(decodeAudio(bytes, samples)).rejects.toMatchObject({ code: "too_large" });
    expect(add).not.toHaveBeenCalled();
  });
});
