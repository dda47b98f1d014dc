import { z } from "zod";
import { type ImagePreprocess, maxImageSide } from "../../encoders/manifest.js";
import type { HubConfigs } from "./family.js";
import { flag, harmless, only, readConfig } from "./read-config.js";

const side = z
  .int({ error: "Expected a whole number of pixels" })
  .min(1, { error: "Expected at least 1 pixel" })
  .max(maxImageSide, { error: `Expected at most ${maxImageSide} pixels` });
const square = (error: string) => z.strictObject({ height: side, width: side }, { error });
const pair = z.tuple([side, side]);
const perChannel = z.union([z.number(), z.array(z.number()).length(3)], {
  error: "Expected a number or three of them",
});

const Size = z.union(
  [side, pair, square("Expected height and width"), z.strictObject({ shortest_edge: side })],
  {
    error:
      `Expected a side, {"height","width"} or {"shortest_edge"}, of 1 to ${maxImageSide} pixels ` +
      "(limits on the longest edge are not supported)",
  },
);
const CropSize = z.union([side, pair, square("Expected height and width")], {
  error: `Expected a side or {"height","width"} of 1 to ${maxImageSide} pixels`,
});

/**
 * Pillow's numbers for its filters. Source: Pillow, PIL.Image.Resampling; 0, nearest, is another
 * algorithm.
 */
const filters = { 1: "lanczos", 2: "bilinear", 3: "bicubic", 4: "box", 5: "hamming" } as const;
const Resample = z.literal([1, 2, 3, 4, 5], {
  error: "Expected 1 (lanczos), 2 (bilinear), 3 (bicubic), 4 (box) or 5 (hamming)",
});

const ImageProcessor = z.strictObject({
  image_processor_type: z.string().optional(),
  feature_extractor_type: z.string().optional(),
  do_resize: flag,
  size: Size.optional(),
  default_to_square: flag,
  resample: Resample.optional(),
  do_center_crop: flag,
  crop_size: CropSize.optional(),
  do_rescale: flag,
  rescale_factor: z
    .number({ error: "Expected a number" })
    .min(1e-6, { error: "Expected 0.000001 to 1" })
    .max(1, { error: "Expected 0.000001 to 1" })
    .optional(),
  do_normalize: flag,
  image_mean: perChannel.optional(),
  image_std: perChannel.optional(),
  // Pictures are always converted to RGB; when told not to, the reference fails on any other.
  do_convert_rgb: flag,
  offset: only(false),
  rescale_offset: only(false),
  use_square_size: only(false),
  data_format: only("channels_first"),
  input_data_format: harmless,
  // Keys that writers leave in the file, without influence on one picture's numbers.
  processor_class: harmless,
  _valid_processor_keys: harmless,
  model_input_names: harmless,
  transformers_version: harmless,
  name_or_path: harmless,
  _name_or_path: harmless,
  use_fast: harmless,
  device: harmless,
  return_tensors: harmless,
  disable_grouping: harmless,
  image_seq_length: harmless,
});

interface Defaults {
  size: { shortest_edge: number } | { height: number; width: number };
  centerCrop: boolean;
  cropSize?: number;
  mean: number[];
  std: number[];
}

/** OpenAI CLIP, clip.py _transform: per-channel mean and standard deviation. */
const clipDefaults: Defaults = {
  size: { shortest_edge: 224 },
  centerCrop: true,
  cropSize: 224,
  mean: [0.48145466, 0.4578275, 0.40821073],
  std: [0.26862954, 0.26130258, 0.27577711],
};
const siglipDefaults: Defaults = {
  size: { height: 224, width: 224 },
  centerCrop: false,
  mean: [0.5, 0.5, 0.5],
  std: [0.5, 0.5, 0.5],
};

/**
 * Defaults of each class. Source: transformers 5.24, image_processing_clip
 * and _siglip.
 */
const classes = new Map([
  ["CLIPImageProcessor", clipDefaults],
  ["CLIPFeatureExtractor", clipDefaults],
  ["SiglipImageProcessor", siglipDefaults],
]);

/**
 * The picture section of a manifest from the configuration of an image processor. Every switch is
 * implemented or refused.
 * @param defaultClass  the class if the file names none.
 * @throws RangeError naming the file and the key.
 */
export function imagePreprocess(configs: HubConfigs, defaultClass: string): ImagePreprocess {
  const { processor, processorFile } = configs;
  const type = processor.image_processor_type ?? processor.feature_extractor_type ?? defaultClass;
  const name = String(type).replace(/(Fast|Pil)$/, "");
  const refuse = (text: string) => new RangeError(`${processorFile}: ${text}`);
  if (name === "Siglip2ImageProcessor" || "max_num_patches" in processor)
    throw refuse(`NaFlex (pictures of any shape, Siglip2ImageProcessor) is not served here`);
  const defaults = classes.get(name);
  if (defaults === undefined) throw refuse(`"image_processor_type": ${name} is unknown`);
  const fields = readConfig(processorFile, processor, ImageProcessor);

  const resize = fields.do_resize === false ? undefined : resizeOf(fields, defaults, refuse);
  const crops = fields.do_center_crop ?? defaults.centerCrop;
  const crop = crops
    ? sideOf("crop_size", fields.crop_size ?? defaults.cropSize, refuse)
    : undefined;
  if (crop === undefined && resize?.mode !== "squash") {
    const key = resize === undefined ? "do_resize" : "do_center_crop";
    throw refuse(`"${key}": false allows pictures of any shape, but the graph takes one`);
  }
  const side = crop ?? (resize as { size: number }).size;
  checkModelSide(configs, side, refuse);
  const rescale = fields.do_rescale === false ? 1 : (fields.rescale_factor ?? 1 / 255);
  const normalizes = fields.do_normalize !== false;
  const mean = channels(normalizes ? (fields.image_mean ?? defaults.mean) : 0);
  const std = channels(normalizes ? (fields.image_std ?? defaults.std) : 1);
  checkRange(mean, std, 255 * rescale, normalizes, refuse);
  return {
    ...(resize === undefined ? {} : { resize }),
    ...(crop === undefined || (resize?.mode === "squash" && resize.size === crop) ? {} : { crop }),
    rescale,
    mean,
    std,
  };
}

type Refuse = (text: string) => RangeError;
type ImageProcessorFields = z.infer<typeof ImageProcessor>;

function resizeOf(
  fields: ImageProcessorFields,
  defaults: Defaults,
  refuse: Refuse,
): ImagePreprocess["resize"] {
  const resample = filters[fields.resample ?? 3];
  const size = fields.size ?? defaults.size;
  if (typeof size === "number" && fields.default_to_square !== true)
    return { mode: "shortest_edge", size, resample };
  if (typeof size === "object" && "shortest_edge" in size)
    return { mode: "shortest_edge", size: size.shortest_edge, resample };
  return { mode: "squash", size: sideOf("size", size, refuse), resample };
}

function sideOf(
  key: string,
  size: number | number[] | { height: number; width: number } | undefined,
  refuse: Refuse,
): number {
  if (size === undefined) throw refuse(`"${key}" is missing`);
  if (typeof size === "number") return size;
  const [height, width] = Array.isArray(size) ? size : [size.height, size.width];
  if (height === width) return height;
  throw refuse(`"${key}": only square pictures are supported, not ${height} x ${width}`);
}

/**
 * A transformer's positions fit pictures of one size; config.json gives it, or the class's defaults
 * do.
 */
function checkModelSide({ config }: HubConfigs, side: number, refuse: Refuse): void {
  const vision = (config.vision_config ?? {}) as { image_size?: unknown; patch_size?: unknown };
  if (typeof vision.image_size !== "number" || typeof vision.patch_size !== "number") return;
  if (vision.image_size !== side)
    throw refuse(
      `pictures become ${side} pixels, but config.json has "image_size" ${vision.image_size}`,
    );
}

const channels = (value: number | number[]) =>
  typeof value === "number" ? [value, value, value] : value;

/** @param white  the value of a white pixel before normalisation. */
function checkRange(
  mean: number[],
  std: number[],
  white: number,
  normalizes: boolean,
  refuse: Refuse,
): void {
  if (!normalizes) return;
  const isMean = (value: number) => value >= 0 && value <= white * 1.001;
  const isStd = (value: number) => value >= white / 10_000 && value <= white * 10;
  if (!mean.every(isMean))
    throw refuse(`"image_mean": implausible: pixels are in 0 to ${white}, received ${mean}`);
  if (!std.every(isStd))
    throw refuse(`"image_std": implausible: pixels are in 0 to ${white}, received ${std}`);
}
