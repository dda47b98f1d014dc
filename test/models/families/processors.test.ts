import { describe, expect, it } from "vitest";
import { audioInputs } from "../../../src/encoders/preprocess/audio.js";
import { imageTensor } from "../../../src/encoders/preprocess/image.js";
import { families } from "../../../src/models/families/families.js";
import type { HubConfigs } from "../../../src/models/families/family.js";
import { readFamily } from "../../../src/models/hub-configs.js";
import { goldenJson, largestDifference } from "../../helpers/golden.js";
import { configWith, folderWith } from "../../helpers/model-folders.js";

interface Case {
  config: Record<string, unknown>;
  shape: number[];
  values: number[];
}
const golden = goldenJson<Record<"clip" | "siglip" | "clap", Case[]>>("processors.json");

/** The picture and the sound of make_processors.py. */
const picture = { width: 37, height: 23, rgb: new Uint8Array(37 * 23 * 3) };
for (let y = 0; y < 23; y++)
  for (let x = 0; x < 37; x++)
    picture.rgb.set([(x * 7) % 256, (y * 11) % 256, (x * y * 5) % 256], (y * 37 + x) * 3);
const sound = {
  sampleRateHz: 8000,
  samples: Float32Array.from(
    { length: 3000 },
    (_, t) => 0.5 * Math.sin((t * t) / 9000) + 0.25 * Math.sin(t / 3),
  ),
};

const configsOf = (processor: Record<string, unknown>): HubConfigs => ({
  config: { vision_config: { image_size: 224, patch_size: 32 } },
  processor,
  processorFile: "preprocessor_config.json",
  tokenizerConfig: {},
  tokenizer: {},
});
/** Without a model whose size of pictures they would have to fit. */
const alone = (processor: Record<string, unknown>) => ({ ...configsOf(processor), config: {} });

describe.each(["clip", "siglip"] as const)("the picture section, %s", (family) => {
  it.each(golden[family].map(({ config, values }) => [JSON.stringify(config), config, values]))(
    "does what the reference does with %s",
    (_, config, values) => {
      const tensor = imageTensor(picture, families[family].image!(alone(config as Case["config"])));
      const expected = values as number[];
      // Seven digits are written; without rescale the values reach 255.
      const scale = Math.max(1, ...expected.map(Math.abs));
      expect(largestDifference(tensor, expected)).toBeLessThan(1e-6 * scale);
    },
  );
});

describe("the sound section, clap", () => {
  it.each(
    golden.clap.map(({ config, shape, values }) => [JSON.stringify(config), config, shape, values]),
  )("does what the reference does with %s", (_, config, shape, values) => {
    const inputs = audioInputs(sound, families.clap.audio!(alone(config as Case["config"])));
    expect(inputs.shape).toEqual(shape);
    // In dB. Measured: 2e-5, from float32 samples here and float64 there.
    expect(largestDifference(inputs.windows[0].tensor, values as number[])).toBeLessThan(1e-3);
  });
});

describe("a processor's configuration", () => {
  const clipProcessor = (keys: Record<string, unknown>) =>
    configWith("tiny-clip", "preprocessor_config.json", keys);
  const clapProcessor = (keys: Record<string, unknown>) =>
    configWith("tiny-clap", "preprocessor_config.json", keys);

  it.each([
    ["do_pad", { do_pad: true }],
    ["do_flip_channel_order", { do_flip_channel_order: true }],
    ["do_center_crop", { do_center_crop: false }],
    ["do_resize", { do_resize: false, do_center_crop: false }],
    ["do_resize", { do_resize: "yes" }],
    ["size", { size: { longest_edge: 224 } }],
    ["size", { size: { shortest_edge: 224, longest_edge: 448 } }],
    ["size", { size: { max_height: 224, max_width: 224 } }],
    ["size", { size: { height: 224, width: 112 }, do_center_crop: false }],
    ["size", { size: { shortest_edge: 1e6 } }],
    ["size", { size: 0 }],
    ["size", { size: 224.5 }],
    ["size", { size: "224" }],
    ["size", { size: { height: 224 } }],
    ["crop_size", { crop_size: { height: 224, width: 112 } }],
    ["image_size", { crop_size: 336, size: { shortest_edge: 336 } }],
    ["crop_size", { crop_size: 100_000 }],
    ["crop_size", { crop_size: { shortest_edge: 224 } }],
    ["resample", { resample: 0 }],
    ["resample", { resample: "bicubic" }],
    ["rescale_factor", { rescale_factor: 0 }],
    ["rescale_factor", { rescale_factor: 255 }],
    ["image_mean", { image_mean: [1e38, 1e38, 1e38] }],
    ["image_mean", { image_mean: [123, 117, 104] }],
    ["image_mean", { image_mean: [-0.1, 0, 0] }],
    ["image_mean", { image_mean: [0.5, 0.5] }],
    ["image_std", { image_std: [0, 0, 0] }],
    ["image_std", { image_std: 1e-38 }],
    ["offset", { offset: true }],
    ["use_square_size", { use_square_size: true }],
    ["data_format", { data_format: "channels_last" }],
    ["crop_pct", { crop_pct: 0.875 }],
    ["auto_map", { auto_map: { AutoImageProcessor: "code.Processor" } }],
    ["image_processor_type", { image_processor_type: "ViTImageProcessor" }],
    ["image_processor_type", { image_processor_type: "constructor" }],
    ["NaFlex", { image_processor_type: "Siglip2ImageProcessorFast" }],
    ["NaFlex", { max_num_patches: 256 }],
  ])("is refused for a picture by name: %s, %j", (name, keys) => {
    const picture = () => families.clip.image!(configsOf(clipProcessor(keys)));
    expect(picture).toThrow(RangeError);
    expect(picture).toThrow(new RegExp(`^preprocessor_config.json: .*${name}`));
  });

  it.each([
    ["feature_extractor_type", { feature_extractor_type: "WhisperFeatureExtractor" }],
    ["truncation", { truncation: "max" }],
    ["padding", { padding: "max_length" }],
    ["padding_value", { padding_value: -1 }],
    ["padding_side", { padding_side: "left" }],
    ["return_attention_mask", { return_attention_mask: true }],
    ["top_db", { top_db: 80 }],
    ["nb_max_samples", { nb_max_samples: 240_000 }],
    ["nb_max_samples", { max_length_s: 5 }],
    ["max_length_s", { max_length_s: 1e9 }],
    ["max_length_s", { max_length_s: 0 }],
    ["nb_frequency_bins", { nb_frequency_bins: 512 }],
    ["n_fft", { n_fft: 2048 }],
    ["chunk_length_s", { chunk_length_s: 30 }],
    ["fft_window_size", { fft_window_size: 1000 }],
    ["hop_length", { hop_length: 0 }],
    ["feature_size", { feature_size: 1e6 }],
    ["sampling_rate", { sampling_rate: 0 }],
    ["frequency_max", { frequency_max: 30_000 }],
    ["frequency_min", { frequency_min: 14_000 }],
    ["dither", { dither: 0.5 }],
    ["mel_scale", { mel_scale: "htk" }],
  ])("is refused for a sound by name: %s, %j", (name, keys) => {
    const sound = () => families.clap.audio!(configsOf(clapProcessor(keys)));
    expect(sound).toThrow(RangeError);
    expect(sound).toThrow(new RegExp(`^preprocessor_config.json: .*"${name}"`));
  });

  it("is refused where it and config.json disagree about fusion", () => {
    const configs = configsOf(clapProcessor({ truncation: "fusion" }));
    configs.config.audio_config = { enable_fusion: false };
    expect(() => families.clap.audio!(configs)).toThrow(/"truncation" is fusion.*"enable_fusion"/);
  });

  it("is refused with the folder's name when a folder is read", async () => {
    const folder = folderWith("tiny-clip", {
      "preprocessor_config.json": clipProcessor({ do_pad: true }),
    });
    await expect(readFamily(folder)).rejects.toMatchObject({
      code: "invalid_input",
      param: "folder",
      message: expect.stringMatching(
        /_config.json: "do_pad" is unknown and may change the numbers$/,
      ),
    });
  });

  it("may hold what public files also hold: null, disabled steps, their writers' notes", () => {
    const picture = {
      _valid_processor_keys: ["images"],
      processor_class: "CLIPProcessor",
      feature_extractor_type: "CLIPFeatureExtractor",
      use_fast: true,
      do_reduce_labels: false,
      pad_size: null,
      disable_grouping: null,
      image_processor_type: "CLIPImageProcessorFast",
    };
    const sound = {
      chunk_length_s: 10,
      n_fft: 1024,
      nb_max_frames: 1000,
      processor_class: "ClapProcessor",
      frequency_min: 50,
    };
    expect(families.clip.image!(configsOf(clipProcessor(picture))).crop).toBe(224);
    expect(families.clap.audio!(configsOf(clapProcessor(sound))).mel.minHz).toBe(50);
  });

  it("comes from processor_config.json before preprocessor_config.json, as in the reference", async () => {
    const nested = clipProcessor({ size: { shortest_edge: 336 }, crop_size: 336 });
    const folder = folderWith("tiny-clip", {
      "config.json": configWith("tiny-clip", "config.json", { vision_config: { image_size: 336 } }),
      "processor_config.json": { image_processor: nested, processor_class: "CLIPProcessor" },
    });
    expect((await readFamily(folder)).preprocess.image?.crop).toBe(336);
  });

  it("does not come from a processor_config.json that only names a class (transformers 4)", async () => {
    const folder = folderWith("tiny-clip", {
      "processor_config.json": { processor_class: "CLIPProcessor" },
    });
    expect((await readFamily(folder)).preprocess.image?.crop).toBe(224);
  });

  it("is missed by name when there is neither file", async () => {
    const folder = folderWith("tiny-clip", { "preprocessor_config.json": null });
    await expect(readFamily(folder)).rejects.toMatchObject({
      message: expect.stringContaining("neither preprocessor_config.json nor"),
    });
  });
});
