import type { AudioPreprocess, ImagePreprocess, TextPreprocess } from "../../encoders/manifest.js";

/** The configuration files of a hub folder, parsed. */
export interface HubConfigs {
  config: Record<string, unknown>;
  preprocessor: Record<string, unknown>;
  tokenizerConfig: Record<string, unknown>;
  tokenizer: { added_tokens?: { id: number; content: string }[] };
}

/** What a model type decides about a manifest. Adding one is a file beside this and its name in families.ts. */
export interface Family {
  family: string;
  activation: "softmax" | "sigmoid";
  /** Length of an embedding where config.json leaves it out: the default of the reference's configuration class. */
  dimensions: number;
  /** The towers end in a projection of their own; else the text tower's width is the embedding's. */
  projects: boolean;
  outputs: { text: string[]; image?: string[]; audio?: string[] };
  text(configs: HubConfigs): Omit<TextPreprocess, "tokenizer">;
  image?(configs: HubConfigs): ImagePreprocess;
  audio?(configs: HubConfigs): AudioPreprocess;
  promptTemplates: Partial<Record<"image" | "audio", string[]>>;
}

/** The id of the token that tokenizer_config.json names for padding. */
export function padTokenId({ tokenizer, tokenizerConfig }: HubConfigs): number {
  const named = tokenizerConfig.pad_token as string | { content: string } | null | undefined;
  const content = typeof named === "object" ? named?.content : named;
  const token = tokenizer.added_tokens?.find((added) => added.content === content);
  return token?.id ?? 0;
}

/**
 * Length of the text context: the smaller of what the tokenizer and the model's positions allow.
 * @param positions  where config.json leaves them out: the default of the reference's configuration class.
 */
export function contextLength(
  { config, tokenizerConfig }: HubConfigs,
  positions: number,
  reserved = 0,
): number {
  const text = config.text_config as { max_position_embeddings?: number } | undefined;
  // Tokenizers without a limit carry a number like 1e30.
  const limit = Number(tokenizerConfig.model_max_length ?? Number.POSITIVE_INFINITY);
  return Math.min(limit, (text?.max_position_embeddings ?? positions) - reserved);
}

interface ImageProcessorConfig {
  size?: number | { shortest_edge?: number; height?: number; width?: number };
  crop_size?: number | { height: number; width: number };
  do_center_crop?: boolean;
  resample?: number;
  rescale_factor?: number;
  image_mean?: number[];
  image_std?: number[];
}

/** Pillow's numbers for its filters. Source: Pillow, PIL.Image.Resampling. */
const resampling: Record<number, "bilinear" | "bicubic"> = { 2: "bilinear", 3: "bicubic" };

/** preprocessor_config.json of CLIPImageProcessor and SiglipImageProcessor; what it leaves out has their defaults. */
export function imagePreprocess(configs: HubConfigs): ImagePreprocess {
  const given = configs.preprocessor as ImageProcessorConfig;
  const size = given.size ?? { shortest_edge: 224 };
  const resample = resampling[given.resample ?? 3];
  if (resample === undefined)
    throw new RangeError(`The resampling filter ${given.resample} is not known here`);
  const squash = typeof size === "object" && size.shortest_edge === undefined;
  if (squash && size.height !== size.width)
    throw new RangeError(`Only square pictures are known here, not ${JSON.stringify(size)}`);
  const side = typeof size === "number" ? size : (size.shortest_edge ?? size.height ?? 224);
  const crop = typeof given.crop_size === "number" ? given.crop_size : given.crop_size?.height;
  return {
    resize: { mode: squash ? "squash" : "shortest_edge", size: side, resample },
    crop: squash || given.do_center_crop === false ? undefined : (crop ?? side),
    rescale: given.rescale_factor ?? 1 / 255,
    mean: given.image_mean ?? [0.48145466, 0.4578275, 0.40821073],
    std: given.image_std ?? [0.26862954, 0.26130258, 0.27577711],
  };
}
