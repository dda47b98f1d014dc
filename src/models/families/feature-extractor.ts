import { z } from "zod";
import { type AudioPreprocess, maxMelBands, maxWindowSamples } from "../../encoders/manifest.js";
import type { HubConfigs } from "./family.js";
import { harmless, only, readConfig } from "./read-config.js";

const count = (low: number, high: number) =>
  z
    .int({ error: `Expected a whole number from ${low} to ${high}` })
    .min(low, { error: `Expected at least ${low}` })
    .max(high, { error: `Expected at most ${high}` })
    .optional();
const hertz = z
  .number({ error: "Expected a frequency in Hz" })
  .min(0, { error: "Expected at least 0 Hz" })
  .optional();

const FeatureExtractor = z.strictObject({
  feature_extractor_type: only("ClapFeatureExtractor"),
  feature_size: count(1, maxMelBands),
  sampling_rate: count(1000, 384_000),
  hop_length: count(1, 65_536),
  max_length_s: z.number({ error: "Expected seconds" }).positive().max(600).optional(),
  fft_window_size: z
    .literal([64, 128, 256, 512, 1024, 2048, 4096, 8192], {
      error: "Expected a power of two from 64 to 8192",
    })
    .optional(),
  frequency_min: hertz,
  frequency_max: hertz,
  truncation: only("fusion", "rand_trunc"),
  padding: only("repeatpad", "repeat", "pad"),
  padding_value: only(0),
  padding_side: only("right"),
  return_attention_mask: only(false),
  // Follow from the others; the reference recomputes them (the last three are left over from
  // another extractor).
  nb_max_samples: z.number().optional(),
  nb_frequency_bins: z.number().optional(),
  n_fft: z.number().optional(),
  chunk_length_s: z.number().optional(),
  nb_max_frames: z.number().optional(),
  dither: only(0),
  do_normalize: only(false),
  processor_class: harmless,
  model_input_names: harmless,
  return_tensors: harmless,
  transformers_version: harmless,
  name_or_path: harmless,
  _name_or_path: harmless,
  mel_filters: harmless,
  mel_filters_slaney: harmless,
});

/**
 * The sound section of a manifest from the configuration of CLAP's feature extractor. Fused
 * checkpoints (`truncation: fusion`) use HTK mel filters without normalisation and see long sounds
 * as four views; unfused ones use Slaney's and hear windows. Source: transformers 5.24,
 * feature_extraction_clap.py, whose defaults apply to missing keys.
 *
 * @throws RangeError naming the file and the key.
 */
export function featurePreprocess({
  config,
  processor,
  processorFile,
}: HubConfigs): AudioPreprocess {
  const fields = readConfig(processorFile, processor, FeatureExtractor);
  const refuse = (text: string) => new RangeError(`${processorFile}: ${text}`);
  const sampleRateHz = fields.sampling_rate ?? 48_000;
  const windowSeconds = fields.max_length_s ?? 10;
  const fftSize = fields.fft_window_size ?? 1024;
  const hopLength = fields.hop_length ?? 480;
  const minHz = fields.frequency_min ?? 0;
  const maxHz = fields.frequency_max ?? 14_000;
  const samples = windowSeconds * sampleRateHz;
  if (!Number.isInteger(samples) || samples > maxWindowSamples || samples <= fftSize)
    throw refuse(
      `"max_length_s" x "sampling_rate" is ${samples}: expected a whole number of samples from ` +
        `${fftSize + 1} to ${maxWindowSamples}`,
    );
  const derived = {
    nb_max_samples: samples,
    nb_frequency_bins: fftSize / 2 + 1,
    n_fft: fftSize,
    chunk_length_s: windowSeconds,
    nb_max_frames: Math.floor(samples / hopLength),
  };
  for (const [key, expected] of Object.entries(derived)) {
    const value = fields[key as keyof typeof derived];
    if (value !== undefined && value !== expected)
      throw refuse(`"${key}" is ${value}, but the other keys imply ${expected}`);
  }
  if (minHz >= maxHz || maxHz > sampleRateHz / 2)
    throw refuse(
      `"frequency_min" and "frequency_max" must be ascending and below ${sampleRateHz / 2} Hz, ` +
        `received ${minHz} and ${maxHz}`,
    );
  const audio = config.audio_config as { enable_fusion?: unknown } | undefined;
  const fused = (fields.truncation ?? "fusion") === "fusion";
  if (typeof audio?.enable_fusion === "boolean" && audio.enable_fusion !== fused)
    throw refuse(
      `"truncation" is ${fused ? "fusion" : "rand_trunc"}, but config.json says ` +
        `"enable_fusion": ${audio.enable_fusion}`,
    );
  return {
    sampleRateHz,
    windowSeconds,
    hopSeconds: windowSeconds / 2,
    padding: fields.padding ?? "repeatpad",
    longer: fused ? "fusion" : "windows",
    preEmphasis: 0,
    fftSize,
    windowLength: fftSize,
    periodicWindow: true,
    hopLength,
    mel: {
      scale: fused ? "htk" : "slaney",
      norm: fused ? null : "slaney",
      count: fields.feature_size ?? 64,
      minHz,
      maxHz,
    },
    log: { kind: "db", floor: 1e-10 },
    shift: 0,
    divide: 1,
    layout: "frames-mels",
  };
}
