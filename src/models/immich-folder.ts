import { existsSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { type ImagePreprocess, maxImageSide, type TextPreprocess } from "../encoders/manifest.js";
import { clip } from "./families/clip.js";
import { type HubConfigs, padTokenId } from "./families/family.js";
import { harmless, only, readConfig } from "./families/read-config.js";
import { siglip } from "./families/siglip.js";
import { checkTokenizer } from "./families/tokenizer-config.js";
import { type FolderConfigs, inFolder, maxTokenizerBytes } from "./hub-configs.js";
import { immichLayout } from "./layout.js";
import { readModelJson } from "./model-file.js";

const count = z.int({ error: "Expected a whole number" }).positive({ error: "Expected 1 or more" });
const side = count.max(maxImageSide, { error: `Expected at most ${maxImageSide} pixels` });

/**
 * open_clip's description of a model. What shapes the graphs is in them already; what prepares
 * their inputs is read here.
 */
const Config = z.object({
  embed_dim: count,
  /** SigLIP's, whose scores are sigmoids. */
  init_logit_bias: z.number().nullish(),
  vision_cfg: z.object({ image_size: z.union([count, z.array(count)]).nullish() }),
  text_cfg: z.object({
    context_length: count.default(77),
    tokenizer_kwargs: z
      .strictObject({
        clean: only("canonicalize", "whitespace"),
        strip_sep_token: only(false),
      })
      .nullish(),
  }),
});
type Config = z.infer<typeof Config>;

const channels = z.tuple([z.number(), z.number(), z.number()], {
  error: "Expected three numbers",
});
const Preprocess = z.strictObject({
  size: z.union([side, z.array(side).min(1).max(2)], { error: "Expected a side in pixels" }),
  mode: only("RGB"),
  mean: channels,
  std: channels,
  interpolation: z.enum(["bilinear", "bicubic", "lanczos", "box", "hamming"], {
    error: "Expected bilinear, bicubic, lanczos, box or hamming",
  }),
  resize_mode: only("shortest", "squash"),
  /** Of the border that only `longest` has. */
  fill_color: harmless,
});

export const isImmichFolder = (folder: string): boolean =>
  immichLayout.folders.some((name) => existsSync(join(folder, name, "model.onnx")));

/**
 * A CLIP model as Immich's machine-learning server keeps it (the repositories of immich-app): two
 * graphs that open_clip was exported to, and its configuration. Inputs are prepared as there.
 * Source: immich-app/immich, machine-learning/immich_ml/models/clip and transforms.py.
 *
 * @throws AppError `invalid_input` naming what is missing or not supported.
 */
export async function readImmichFolder(folder: string): Promise<FolderConfigs> {
  const json = await readModelJson(folder, "config.json");
  const config = inFolder(folder, () => readConfig("config.json", json, Config));
  const base = typeof config.init_logit_bias === "number" ? siglip : clip;
  const outputs = {
    text: ["embedding", "text_embedding"],
    image: ["embedding", "image_embedding"],
  };
  return {
    layout: immichLayout,
    family: { ...base, outputs },
    dimensions: config.embed_dim,
    shorterDimensions: undefined,
    preprocess: {
      text: await textPreprocess(folder, config),
      image: await imagePreprocess(folder, config),
    },
  };
}

async function textPreprocess(folder: string, { text_cfg: text }: Config) {
  if (!existsSync(join(folder, "textual/model.onnx"))) return undefined;
  const tokenizerConfig = await readModelJson(folder, "textual/tokenizer_config.json");
  const { tokenizer: path } = immichLayout;
  const tokenizer = await readModelJson(folder, path, { maxBytes: maxTokenizerBytes });
  const configs: HubConfigs = {
    config: {},
    processor: {},
    processorFile: "",
    tokenizerConfig,
    tokenizer,
  };
  return inFolder(folder, (): Omit<TextPreprocess, "tokenizer"> => {
    if (/^nllb/i.test(String(tokenizerConfig.tokenizer_class))) {
      const { tokenizer_class: name } = tokenizerConfig;
      throw new RangeError(
        `tokenizer_config.json: "tokenizer_class" ${name} wants the language of each text, which ` +
          "is not supported",
      );
    }
    const isCanonical = text.tokenizer_kwargs?.clean === "canonicalize";
    const preprocess = {
      contextLength: text.context_length,
      padding: "max" as const,
      padTokenId: padTokenId(configs),
      canonicalize: isCanonical ? ("siglip" as const) : ("whitespace" as const),
    };
    checkTokenizer(configs, preprocess);
    return preprocess;
  });
}

async function imagePreprocess(
  folder: string,
  { vision_cfg: vision }: Config,
): Promise<ImagePreprocess | undefined> {
  if (!existsSync(join(folder, "visual/model.onnx"))) return undefined;
  const file = "visual/preprocess_cfg.json";
  const json = await readModelJson(folder, file);
  return inFolder(folder, () => {
    const {
      size: sides,
      mean,
      std,
      interpolation,
      resize_mode,
    } = readConfig(file, json, Preprocess);
    const size = squareSide(sides, `${file}: "size"`);
    const expected = squareSide(vision.image_size ?? size, 'config.json: "vision_cfg.image_size"');
    if (expected !== size)
      throw new RangeError(`${file}: "size" is ${size}, but config.json has ${expected}`);
    const isSquashed = resize_mode === "squash";
    return {
      resize: {
        mode: isSquashed ? ("squash" as const) : ("shortest_edge" as const),
        size,
        resample: interpolation,
      },
      ...(!isSquashed && { crop: size }),
      rescale: 1 / 255,
      mean,
      std,
    };
  });
}

function squareSide(sides: number | number[], subject: string): number {
  const [height, width = height] = typeof sides === "number" ? [sides] : sides;
  if (height === width) return height;
  throw new RangeError(`${subject}: only square pictures are supported, not ${height} x ${width}`);
}
