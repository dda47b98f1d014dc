import { existsSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type {
  AudioPreprocess,
  ImagePreprocess,
  Manifest,
  TextPreprocess,
} from "../encoders/manifest.js";
import { AppError } from "../errors.js";
import { families } from "./families/families.js";
import type { Family, HubConfigs } from "./families/family.js";
import { harmless, readConfig } from "./families/read-config.js";
import { checkTokenizer } from "./families/tokenizer-config.js";
import { hubLayout, type Layout } from "./layout.js";
import { readModelJson } from "./model-file.js";
import { shorterDimensions } from "./shorter-dimensions.js";

export const maxTokenizerBytes = 128 * 2 ** 20;

/** Written by transformers 5; earlier versions only wrote a class name. */
const ProcessorConfig = z.strictObject({
  image_processor: z.record(z.string(), z.unknown()).optional(),
  feature_extractor: z.record(z.string(), z.unknown()).optional(),
  tokenizer: harmless,
  processor_class: harmless,
  chat_template: harmless,
  transformers_version: harmless,
});

/**
 * The configuration of a folder: the family, and the preprocessing of texts and of pictures or
 * sounds.
 */
export interface FolderConfigs {
  layout: Layout;
  family: Pick<Family, "family" | "activation" | "outputs" | "promptTemplates">;
  /** Length of an embedding. */
  dimensions: number;
  shorterDimensions: Manifest["shorterDimensions"];
  preprocess: {
    text?: Omit<TextPreprocess, "tokenizer">;
    image?: ImagePreprocess;
    audio?: AudioPreprocess;
  };
}

/**
 * @throws AppError `invalid_input` saying which file is missing, or naming an unsupported key.
 */
export async function readFamily(folder: string): Promise<FolderConfigs> {
  const read = (name: string, maxBytes?: number) => {
    if (existsSync(join(folder, name))) return readModelJson(folder, name, { maxBytes });
    throw refuse(`${folder} has no ${name}`);
  };
  const config = await read("config.json");
  const modelType = String(config.model_type);
  const family = Object.hasOwn(families, modelType) ? families[modelType] : undefined;
  if (family === undefined) {
    const names = Object.keys(families).join(", ");
    throw refuse(`The model type "${modelType}" is unknown (known: ${names})`);
  }
  const configs = {
    config,
    ...(await readProcessor(folder, family)),
    tokenizerConfig: await read("tokenizer_config.json"),
    tokenizer: await read("tokenizer.json", maxTokenizerBytes),
  };
  return inFolder(folder, () => {
    const text = family.text(configs);
    checkTokenizer(configs, text);
    const preprocess = { text, image: family.image?.(configs), audio: family.audio?.(configs) };
    const dimensions = dimensionsOf(configs, family);
    const shorter = shorterDimensions(config, dimensions);
    return { layout: hubLayout, family, dimensions, shorterDimensions: shorter, preprocess };
  });
}

/**
 * The configuration of the image processor or feature extractor: from processor_config.json if it
 * is there (transformers 5 writes no other file), else from preprocessor_config.json, as in the
 * reference.
 */
async function readProcessor(
  folder: string,
  family: Family,
): Promise<Pick<HubConfigs, "processor" | "processorFile">> {
  const [outer, inner] = ["processor_config.json", "preprocessor_config.json"];
  const part = family.image === undefined ? "feature_extractor" : "image_processor";
  if (existsSync(join(folder, outer))) {
    const config = await readModelJson(folder, outer);
    const found = inFolder(folder, () => readConfig(outer, config, ProcessorConfig))[part];
    if (found !== undefined) return { processor: found, processorFile: `${outer}, ${part}` };
  }
  if (existsSync(join(folder, inner)))
    return { processor: await readModelJson(folder, inner), processorFile: inner };
  throw refuse(`${folder} has neither ${inner} nor a ${outer} with "${part}"`);
}

function dimensionsOf({ config }: HubConfigs, family: Family): number {
  const text = config.text_config as { projection_size?: number; hidden_size?: number } | undefined;
  const projected = config.projection_dim ?? text?.projection_size;
  // A projection is specific to the family; without one, the text tower's width is the output's.
  const dimensions =
    projected ?? (family.projects ? undefined : text?.hidden_size) ?? family.dimensions;
  if (typeof dimensions === "number") return dimensions;
  throw new AppError("invalid_input", "config.json does not give the length of an embedding", {
    param: "folder",
  });
}

/** Errors of `check` with the folder's name. */
export function inFolder<T>(folder: string, check: () => T): T {
  try {
    return check();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new AppError("invalid_input", `${folder}: ${error.message}`, {
      param: "folder",
      cause: error,
    });
  }
}

const refuse = (message: string) => new AppError("invalid_input", message, { param: "folder" });
