import type { AudioPreprocess } from "../../../src/encoders/manifest.js";

export const melBands = 64;
/** Anything this much quieter than the loudest is drawn as silence. */
export const melRangeDb = 70;

/**
 * The spectrogram that is drawn: frames of 25 ms in 64 mel bands up to 15 kHz, as starter-clap
 * hears it, in dB.
 */
export function melSpec(sampleRateHz: number, hopLength: number): AudioPreprocess {
  return {
    sampleRateHz,
    windowSeconds: 10,
    hopSeconds: 5,
    padding: "pad",
    longer: "windows",
    preEmphasis: 0,
    fftSize: sampleRateHz > 40_000 ? 2048 : 1024,
    windowLength: Math.round(sampleRateHz / 40),
    periodicWindow: true,
    hopLength,
    mel: {
      scale: "kaldi",
      norm: null,
      count: melBands,
      minHz: 0,
      maxHz: Math.min(15_000, sampleRateHz / 2),
    },
    log: { kind: "db", floor: 1e-10 },
    shift: 0,
    divide: 1,
    layout: "frames-mels",
  };
}

/** What the picture shows, in words. */
export const melMeaning =
  "Mel spectrogram: time to the right, low tones below and high ones above, in steps as the ear " +
  "hears them; the darker or brighter, the louder, in decibels.";
