import { describe, expect, it } from "vitest";
import type { AudioPreprocess } from "../../../src/encoders/manifest.js";
import { audioInputs, fillWindow, windowStarts } from "../../../src/encoders/preprocess/audio.js";
import { logMel } from "../../../src/encoders/preprocess/log-mel.js";
import { resample } from "../../../src/encoders/preprocess/resample.js";
import { decodeAudio } from "../../../src/media/audio/decode-audio.js";
import { goldenBytes, goldenJson, goldenMel, largestDifference } from "../../helpers/golden.js";

const clap: AudioPreprocess = {
  sampleRateHz: 48_000,
  windowSeconds: 10,
  hopSeconds: 5,
  padding: "repeatpad",
  longer: "windows",
  preEmphasis: 0,
  fftSize: 1024,
  windowLength: 1024,
  periodicWindow: true,
  hopLength: 480,
  mel: { scale: "slaney", norm: "slaney", count: 64, minHz: 0, maxHz: 14_000 },
  log: { kind: "db", floor: 1e-10 },
  shift: 0,
  divide: 1,
  layout: "frames-mels",
};
const fused: AudioPreprocess = {
  ...clap,
  longer: "fusion",
  mel: { scale: "htk", norm: null, count: 64, minHz: 0, maxHz: 14_000 },
};

interface Golden {
  audio: {
    file: string;
    sampling_rate: number;
    samples_48k: number;
    first8_48k: number[];
    windows: { start: number; mel_files: string[]; first32: number[]; mel_mean: number[] }[];
  }[];
}

const limits = { maxSeconds: 3600 };
/**
 * Golden mels are stored as multiples of 1/256 dB: half a step, and the 1e-3 dB we allow ourselves.
 */
const storedMel = 0.5 / 256 + 1e-3;

describe("audioInputs, tiny-clap", () => {
  for (const golden of goldenJson<Golden>("tiny-clap/golden.json").audio) {
    it(`gives the reference's samples and log-mel for ${golden.file}`, async () => {
      const sound = await decodeAudio(goldenBytes(`media/audio/${golden.file}`), limits);
      expect(sound.sampleRateHz).toBe(golden.sampling_rate);
      const samples = resample(sound.samples, sound.sampleRateHz, 48_000);
      expect(samples.length).toBe(golden.samples_48k);
      expect(largestDifference(samples.subarray(0, 8), golden.first8_48k)).toBeLessThan(2e-6);
      for (const window of golden.windows) {
        const cut = samples.subarray(window.start, window.start + 480_000);
        const { values } = logMel(fillWindow(cut, 480_000, "repeatpad"), clap);
        expect(largestDifference(values.subarray(0, 32), window.first32)).toBeLessThan(1e-3);
        expect(
          largestDifference(values, goldenMel(`tiny-clap/golden/mel/${window.mel_files[0]}`)),
        ).toBeLessThan(storedMel);
      }
    });
  }
});

describe("audioInputs, tiny-clap-fused", () => {
  for (const golden of goldenJson<Golden>("tiny-clap-fused/golden.json").audio) {
    it(`gives the reference's four views of ${golden.file} (common fault 4: no fusion)`, async () => {
      const sound = await decodeAudio(goldenBytes(`media/audio/${golden.file}`), limits);
      const { windows, shape } = audioInputs(sound, fused);
      expect(shape).toEqual([4, 1001, 64]);
      expect(windows.length).toBe(1);
      const [{ tensor, isLonger }] = windows;
      expect(isLonger).toBe(golden.file.startsWith("long") || golden.file.endsWith("480480.flac"));
      const [{ mel_files, first32 }] = golden.windows;
      expect(largestDifference(tensor.subarray(0, 32), first32)).toBeLessThan(1e-3);
      for (let channel = 0; channel < 4; channel++) {
        const view = tensor.subarray(channel * 64_064, (channel + 1) * 64_064);
        const file = mel_files[Math.min(channel, mel_files.length - 1)];
        expect(
          largestDifference(view, goldenMel(`tiny-clap-fused/golden/mel/${file}`)),
        ).toBeLessThan(storedMel);
      }
    });
  }

  it("gives a long sound the frames of its whole spectrogram, of which it makes few", () => {
    const rate = 8000;
    const samples = Float32Array.from({ length: rate * 300 }, (_, i) => Math.sin(i * i * 1e-7));
    const [{ tensor, isLonger }] = audioInputs({ sampleRateHz: rate, samples }, fused).windows;
    expect(isLonger).toBe(true);
    const { values, frames } = logMel(resample(samples, rate, 48_000), fused);
    const frame = (f: number) => values.subarray(64 * f, 64 * (f + 1));
    const row = (view: number, f: number) =>
      tensor.subarray(64 * (1001 * view + f), 64 * (1001 * view + f + 1));
    expect(frames).toBe(30_001);
    for (const f of [0, 1, 500, 999, 1000]) {
      // Half a frame of the view is at half the frames for each of them; float32 rounds the place.
      const x = (frames / 1001) * (f + 0.5) - 0.5;
      const share = x - Math.floor(x);
      const between = Float64Array.from(
        frame(Math.floor(x)),
        (left, m) => (1 - share) * left + share * frame(Math.ceil(x))[m],
      );
      expect(largestDifference(row(0, f), between)).toBeLessThan(0.2);
    }
    // The middles of the thirds of 29,001 places
    for (const [view, start] of [4833, 14_500, 24_167].entries())
      for (const f of [0, 700, 1000]) expect(row(view + 1, f)).toEqual(frame(start + f));
  });

  it("marks a short clip as not longer in any batch (the reference does not)", () => {
    const { windows } = audioInputs(
      { sampleRateHz: 48_000, samples: new Float32Array(48_000).fill(0.1) },
      fused,
    );
    expect(windows[0].isLonger).toBe(false);
  });
});

describe("fillWindow", () => {
  it("keeps the last copy of a clip that divides the window exactly (common fault 3)", () => {
    expect([...fillWindow(Float32Array.of(1, 2), 4, "repeatpad")]).toEqual([1, 2, 1, 2]);
  });
  it("fills the rest with zeros under repeatpad, with a cut copy under repeat", () => {
    expect([...fillWindow(Float32Array.of(1, 2, 3), 7, "repeatpad")]).toEqual([
      1, 2, 3, 1, 2, 3, 0,
    ]);
    expect([...fillWindow(Float32Array.of(1, 2, 3), 7, "repeat")]).toEqual([1, 2, 3, 1, 2, 3, 1]);
  });
});

describe("windowStarts", () => {
  it("covers every sample with full windows", () => {
    expect(windowStarts(8, 10, 5)).toEqual([0]);
    expect(windowStarts(10, 10, 5)).toEqual([0]);
    expect(windowStarts(11, 10, 5)).toEqual([0, 1]);
    expect(windowStarts(23, 10, 5)).toEqual([0, 5, 10, 13]);
    expect(windowStarts(25, 10, 5)).toEqual([0, 5, 10, 15]);
  });
});

describe("audioInputs", () => {
  it("is deterministic for a long sound (common fault 4: a random window)", () => {
    const samples = Float32Array.from({ length: 48_000 * 25 }, (_, i) => Math.sin(i * i * 1e-7));
    const once = audioInputs({ sampleRateHz: 48_000, samples }, clap);
    const again = audioInputs({ sampleRateHz: 48_000, samples }, clap);
    expect(once.windows.map(({ startSeconds }) => startSeconds)).toEqual([0, 5, 10, 15]);
    for (const [i, { tensor }] of once.windows.entries())
      expect(largestDifference(tensor, again.windows[i].tensor)).toBe(0);
  });

  it("puts windows at the hop that the manifest says", () => {
    const samples = new Float32Array(48_000 * 25).fill(0.1);
    const { windows } = audioInputs({ sampleRateHz: 48_000, samples }, { ...clap, hopSeconds: 10 });
    expect(windows.map(({ startSeconds, endSeconds }) => [startSeconds, endSeconds])).toEqual([
      [0, 10],
      [10, 20],
      [15, 25],
    ]);
  });

  it.each([1, 2, 3, 511, 512, 513, 1024])(
    "hears a sound of %i samples, shorter than a frame: copies fill the window",
    (n) => {
      for (const spec of [clap, fused]) {
        const { windows } = audioInputs(
          {
            sampleRateHz: 48_000,
            samples: Float32Array.from({ length: n }, (_, i) => 0.5 - i / n),
          },
          spec,
        );
        expect(windows.length).toBe(1);
        expect(windows[0].tensor.every(Number.isFinite)).toBe(true);
      }
    },
  );

  it("gives silence the floor of -100 dB everywhere", () => {
    const { windows } = audioInputs(
      { sampleRateHz: 48_000, samples: new Float32Array(4800) },
      clap,
    );
    expect(windows[0].tensor.every((value) => value === -100)).toBe(true);
  });

  it("refuses a sound without samples", () => {
    expect(() => audioInputs({ sampleRateHz: 48_000, samples: new Float32Array(0) }, clap)).toThrow(
      "no samples",
    );
  });
});
