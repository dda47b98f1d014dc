import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { Manifest } from "../../../src/encoders/manifest.js";
import { audioInputs } from "../../../src/encoders/preprocess/audio.js";
import { goldenJson, largestDifference } from "../../helpers/golden.js";

describe("audioInputs, starter-clap", () => {
  it("gives the log-mel that the sound tower was trained with (torch.stft, Kaldi bands)", () => {
    const manifest = Manifest.parse(
      JSON.parse(readFileSync("models/starter-clap/manifest.json", "utf8")),
    );
    const spec = manifest.towers.audio?.preprocess;
    if (spec === undefined) throw new Error("starter-clap has no audio tower");
    const golden = goldenJson<{ shape: number[]; frames: number[]; values: number[][] }>(
      "audio/starter_mel.json",
    );
    const samples = Float32Array.from(
      { length: 48_000 },
      (_, i) => 0.3 * Math.sin(1e-7 * i * i) + 0.1 * Math.sin(0.7 * i),
    );
    const { windows, shape } = audioInputs({ sampleRateHz: 32_000, samples }, spec);
    expect(shape).toEqual([1, ...golden.shape]);
    const [bands, frames] = golden.shape;
    for (const [i, frame] of golden.frames.entries()) {
      const ours = Array.from(
        { length: bands },
        (_, band) => windows[0].tensor[band * frames + frame],
      );
      // Measured: 1.1e-6.
      expect(largestDifference(ours, golden.values[i]), `frame ${frame}`).toBeLessThan(1e-5);
    }
  });
});
