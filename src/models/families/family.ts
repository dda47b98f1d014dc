import type { AudioPreprocess, ImagePreprocess, TextPreprocess } from "../../encoders/manifest.js";

/** The checked parts of a tokenizer.json; the tokenizer reads the rest. */
export interface TokenizerJson {
  added_tokens?: { id: number; content: string; special?: boolean }[] | null;
  normalizer?: unknown;
  pre_tokenizer?: unknown;
  post_processor?: unknown;
  padding?: unknown;
  truncation?: unknown;
  model?: { dropout?: unknown; vocab?: unknown };
}

/** The configuration files of a hub folder, parsed. */
export interface HubConfigs {
  config: Record<string, unknown>;
  /**
   * Of the image processor or the feature extractor, and the file and part of it that it was read
   * from.
   */
  processor: Record<string, unknown>;
  processorFile: string;
  tokenizerConfig: Record<string, unknown>;
  tokenizer: TokenizerJson;
}

/**
 * What a model type contributes to a manifest. Adding one is a file beside this and its name in
 * families.ts.
 */
export interface Family {
  family: string;
  activation: "softmax" | "sigmoid";
  /**
   * Length of an embedding when config.json omits it: the default of the reference's
   * configuration class.
   */
  dimensions: number;
  /**
   * The towers end in a projection; otherwise the text tower's width is the embedding's.
   */
  projects: boolean;
  outputs: { text: string[]; image?: string[]; audio?: string[] };
  text(configs: HubConfigs): Omit<TextPreprocess, "tokenizer">;
  image?(configs: HubConfigs): ImagePreprocess;
  audio?(configs: HubConfigs): AudioPreprocess;
  promptTemplates: Partial<Record<"image" | "audio", string[]>>;
}

export const lowersCase = ({ normalizer }: TokenizerJson) =>
  /"Lowercase"|"lowercase":true/.test(JSON.stringify(normalizer ?? null));

/**
 * `do_lower_case` of tokenizer_config.json where tokenizer.json does not do it: SigLIP 2's files
 * ask for it.
 */
export function lowerIfAsked({ tokenizer, tokenizerConfig }: HubConfigs): "lower" | "none" {
  return tokenizerConfig.do_lower_case === true && !lowersCase(tokenizer) ? "lower" : "none";
}

/**
 * The id of the token that tokenizer_config.json names for padding, special or not (some CLIP files
 * name "!"); else the one that tokenizer.json pads with, else 0.
 * @throws RangeError when the tokenizer has no such token.
 */
export function padTokenId({ tokenizer, tokenizerConfig }: HubConfigs): number {
  const named = tokenizerConfig.pad_token as string | { content: string } | null | undefined;
  const content = typeof named === "object" ? named?.content : named;
  if (content === undefined)
    return Number((tokenizer.padding as { pad_id?: number } | null | undefined)?.pad_id ?? 0);
  const vocabulary = tokenizer.model?.vocab;
  const id =
    tokenizer.added_tokens?.find((added) => added.content === content)?.id ??
    (Array.isArray(vocabulary)
      ? vocabulary.findIndex((entry) => entry[0] === content)
      : (vocabulary as Record<string, number> | undefined)?.[content]);
  if (id === undefined || id === -1)
    throw new RangeError(
      `tokenizer_config.json: "pad_token" is ${JSON.stringify(content)}, which tokenizer.json ` +
        "lacks",
    );
  return id;
}

/**
 * Length of the text context: the smaller of what the tokenizer and the model's positions allow.
 * @param positions  when config.json omits them: the default of the reference's configuration
 *   class.
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
