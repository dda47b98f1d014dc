import { z } from "zod";
import type { TextPreprocess } from "../../encoders/manifest.js";
import { type HubConfigs, lowersCase, type TokenizerJson } from "./family.js";
import { flag, harmless, only, readConfig } from "./read-config.js";

const limit = z.number({ error: "Expected a number of tokens" }).optional();

const TokenizerConfig = z.strictObject({
  // Read by the families: the context, the padding token, and normalisation.
  model_max_length: limit,
  pad_token: harmless,
  tokenizer_class: harmless,
  // Must agree with tokenizer.json, see `checkTokenizer`.
  do_lower_case: flag,
  strip_accents: flag,
  tokenize_chinese_chars: flag,
  add_prefix_space: flag,
  add_bos_token: flag,
  add_eos_token: flag,
  added_tokens_decoder: z.record(z.string(), z.object({ content: z.string() })).optional(),
  // Only their usual values are supported.
  padding_side: only("right"),
  truncation_side: only("right"),
  truncation_strategy: only("longest_first", "only_first"),
  padding: harmless,
  truncation: harmless,
  max_length: limit,
  max_len: limit,
  stride: only(0),
  pad_to_multiple_of: only(1),
  sp_model_kwargs: z
    .strictObject({}, { error: "SentencePiece options are not supported" })
    .optional(),
  auto_map: z.undefined({ error: "Code of the repository is not run" }).optional(),
  // For decoding, for chats, for slow tokenizers, or notes of the writer.
  pad_token_type_id: harmless,
  backend: harmless,
  is_local: harmless,
  local_files_only: harmless,
  processor_class: harmless,
  name_or_path: harmless,
  special_tokens_map_file: harmless,
  tokenizer_file: harmless,
  vocab_file: harmless,
  merges_file: harmless,
  transformers_version: harmless,
  bos_token: harmless,
  eos_token: harmless,
  unk_token: harmless,
  sep_token: harmless,
  cls_token: harmless,
  mask_token: harmless,
  additional_special_tokens: harmless,
  extra_special_tokens: harmless,
  model_specific_special_tokens: harmless,
  split_special_tokens: harmless,
  model_input_names: harmless,
  clean_up_tokenization_spaces: harmless,
  spaces_between_special_tokens: harmless,
  errors: harmless,
  trim_offsets: harmless,
  chat_template: harmless,
  use_default_system_prompt: harmless,
  legacy: harmless,
  from_slow: harmless,
  use_fast: harmless,
  never_split: harmless,
  do_basic_tokenize: harmless,
  fix_mistral_regex: only(false),
});

/** Larger than any public vocabulary (XLM-V: 901,629). */
const maxVocabulary = 1_500_000;

/**
 * Refuses a tokenizer_config.json that disagrees with tokenizer.json: ids come from tokenizer.json
 * alone, as in the fast tokenizers of the reference, which adapt themselves when the two differ.
 *
 * @param text  the family's text settings.
 * @throws RangeError naming the file and the key.
 */
export function checkTokenizer(
  { tokenizerConfig, tokenizer }: HubConfigs,
  { contextLength, canonicalize }: Pick<TextPreprocess, "contextLength" | "canonicalize">,
): void {
  const file = "tokenizer_config.json";
  const fields = readConfig(file, tokenizerConfig, TokenizerConfig);
  const refuse = (key: string, does: string) =>
    new RangeError(`${file}: "${key}" is ${JSON.stringify(fields[key as never])}, but ${does}`);
  const agree = (key: keyof typeof fields, does: boolean | undefined, behaviour: string) => {
    if (fields[key] !== undefined && does !== undefined && fields[key] !== does)
      throw refuse(key, `tokenizer.json ${does ? "does" : "does not"} ${behaviour}`);
  };
  const normalizer = JSON.stringify(tokenizer.normalizer ?? null);
  const switchOf = (name: string) =>
    normalizer.includes(`"${name}":true`) || !normalizer.includes(`"${name}":false`)
      ? normalizer.includes(`"${name}":true`) || undefined
      : false;
  const lowers = /siglip|lower/.test(canonicalize) || lowersCase(tokenizer);
  agree("do_lower_case", lowers, "lower the case");
  agree("tokenize_chinese_chars", switchOf("handle_chinese_chars"), "split Chinese characters");
  agree("strip_accents", switchOf("strip_accents"), "strip accents");
  const spaces = JSON.stringify(tokenizer.pre_tokenizer ?? null);
  if (spaces.includes('"ByteLevel"'))
    agree("add_prefix_space", spaces.includes('"add_prefix_space":true'), "add a space in front");
  const around = JSON.stringify(tokenizer.post_processor ?? null);
  const adds = (token: unknown) => {
    const content = (token as { content?: string } | undefined)?.content ?? token;
    return typeof content === "string" ? around.includes(JSON.stringify(content)) : undefined;
  };
  agree("add_bos_token", adds(tokenizerConfig.bos_token), "put the token of the beginning");
  agree("add_eos_token", adds(tokenizerConfig.eos_token), "put the token of the end");
  for (const key of ["max_length", "max_len"] as const)
    if ((fields[key] ?? contextLength) < contextLength)
      throw refuse(key, `the model reads ${contextLength} tokens`);
  for (const [id, { content }] of Object.entries(fields.added_tokens_decoder ?? {}))
    if (!hasToken(tokenizer, Number(id), content))
      throw new RangeError(`${file}: tokenizer.json lacks the added token ${id}, "${content}"`);
  checkDefinition(tokenizer);
}

function hasToken({ added_tokens, model }: TokenizerJson, id: number, content: string): boolean {
  const vocabulary = model?.vocab;
  const isAdded = added_tokens?.some((token) => token.id === id && token.content === content);
  if (isAdded === true) return true;
  return Array.isArray(vocabulary)
    ? vocabulary[id]?.[0] === content
    : (vocabulary as Record<string, number> | undefined)?.[content] === id;
}

/**
 * Settings of tokenizer.json that are refused. Its lengths are not used: the manifest has the
 * model's.
 */
function checkDefinition(definition: TokenizerJson): void {
  const { model, padding, truncation, added_tokens, post_processor } = definition;
  const refuse = (text: string) => new RangeError(`tokenizer.json: ${text}`);
  if (!addsEnd(post_processor))
    throw refuse(
      '"post_processor" adds no token at the end of a text, where the model looks for one: ' +
        "save the tokenizer again with transformers",
    );
  const { vocab, dropout } = model ?? {};
  if (typeof vocab !== "object" || vocab === null) throw refuse(`"model.vocab" is missing`);
  const size = Object.keys(vocab).length + (added_tokens?.length ?? 0);
  if (size > maxVocabulary)
    throw refuse(`the vocabulary has ${size} tokens; expected at most ${maxVocabulary}`);
  if (typeof dropout === "number" && dropout > 0)
    throw refuse(`"model.dropout" is ${dropout}: tokens would be random`);
  for (const [key, value] of Object.entries({ padding, truncation })) {
    const { direction = "Right", stride = 0 } = (value ?? {}) as Record<string, unknown>;
    if (direction !== "Right") throw refuse(`"${key}.direction": only "Right" is supported`);
    if (stride !== 0) throw refuse(`"${key}.stride": only 0 is supported`);
  }
}

/** The reference adds the token even where a slow tokenizer was converted without it. */
function addsEnd(processor: unknown): boolean {
  const { type, processors, single } = (processor ?? {}) as Record<string, unknown>;
  if (type === "Sequence") return Array.isArray(processors) && processors.some(addsEnd);
  if (type === "TemplateProcessing")
    return Array.isArray(single) && "SpecialToken" in ((single.at(-1) as object | undefined) ?? {});
  return type === "RobertaProcessing" || type === "BertProcessing";
}
