import { contextLength, type Family, padTokenId } from "./family.js";

interface ClapFeatureExtractorConfig {
  sampling_rate?: number;
  nb_max_samples?: number;
  hop_length?: number;
  fft_window_size?: number;
  feature_size?: number;
  frequency_min?: number;
  frequency_max?: number;
  truncation?: string;
}

/**
 * CLAP (Wu et al. 2023). Fused checkpoints (`truncation: fusion`) use HTK mel filters without normalisation and see long
 * sounds as four views; unfused ones use Slaney's and hear windows. Source: transformers 5.23, feature_extraction_clap.py.
 */
export const clap: Family = {
  family: "clap",
  activation: "softmax",
  dimensions: 512,
  projects: true,
  outputs: { text: ["text_embeds"], audio: ["audio_embeds"] },
  text: (configs) => ({
    // RoBERTa's positions count from the padding id + 1.
    contextLength: contextLength(configs, 514, 2),
    padding: "masked",
    padTokenId: padTokenId(configs),
    canonicalize: "none",
  }),
  audio({ preprocessor }) {
    const given = preprocessor as ClapFeatureExtractorConfig;
    const sampleRateHz = given.sampling_rate ?? 48_000;
    const fftSize = given.fft_window_size ?? 1024;
    const fused = given.truncation === "fusion";
    return {
      sampleRateHz,
      windowSeconds: (given.nb_max_samples ?? 480_000) / sampleRateHz,
      hopSeconds: (given.nb_max_samples ?? 480_000) / sampleRateHz / 2,
      padding: "repeatpad",
      longer: fused ? "fusion" : "windows",
      preEmphasis: 0,
      fftSize,
      windowLength: fftSize,
      periodicWindow: true,
      hopLength: given.hop_length ?? 480,
      mel: {
        scale: fused ? "htk" : "slaney",
        norm: fused ? null : "slaney",
        count: given.feature_size ?? 64,
        minHz: given.frequency_min ?? 0,
        maxHz: given.frequency_max ?? 14_000,
      },
      log: { kind: "db", floor: 1e-10 },
      shift: 0,
      divide: 1,
      layout: "frames-mels",
    };
  },
  promptTemplates: { audio: ["This is a sound of {}."] },
};
