import { describe, expect, it } from "vitest";
import { families } from "../../../src/models/families/families.js";
import type { HubConfigs, TokenizerJson } from "../../../src/models/families/family.js";
import { checkTokenizer } from "../../../src/models/families/tokenizer-config.js";
import { goldenJson } from "../../helpers/golden.js";
import { configWith } from "../../helpers/model-folders.js";

const configsOf = (
  family: "clip" | "siglip" | "siglip2" | "clap",
  keys: Record<string, unknown>,
  tokenizer: Partial<TokenizerJson> = {},
): HubConfigs => ({
  config: {},
  processor: {},
  processorFile: "",
  tokenizerConfig: configWith(`tiny-${family}`, "tokenizer_config.json", keys),
  tokenizer: { ...goldenJson<TokenizerJson>(`tiny-${family}/tokenizer.json`), ...tokenizer },
});
const check = (family: "clip" | "siglip" | "siglip2" | "clap", configs: HubConfigs) => {
  const text = families[family].text(configs);
  checkTokenizer(configs, text);
  return text;
};

describe("a tokenizer's configuration", () => {
  it.each([
    ["padding_side", { padding_side: "left" }],
    ["truncation_side", { truncation_side: "left" }],
    ["do_lower_case", { do_lower_case: false }],
    ["add_prefix_space", { add_prefix_space: true }],
    ["max_length", { max_length: 16 }],
    ["max_len", { max_len: 16 }],
    ["stride", { stride: 4 }],
    ["pad_to_multiple_of", { pad_to_multiple_of: 8 }],
    ["truncation_strategy", { truncation_strategy: "only_second" }],
    ["add_eos_token", { add_eos_token: false }],
    ["add_bos_token", { add_bos_token: false }],
    ["sp_model_kwargs", { sp_model_kwargs: { enable_sampling: true } }],
    ["auto_map", { auto_map: { AutoTokenizer: ["code.Tokenizer", null] } }],
    ["pad_token", { pad_token: "<nowhere>" }],
    ["added token 7", { added_tokens_decoder: { 7: { content: "<new>" } } }],
    ["remove_space", { remove_space: true }],
  ])("is refused by name: %s, %j", (name, keys) => {
    const configs = configsOf("clip", keys);
    expect(() => check("clip", configs)).toThrow(new RegExp(`^tokenizer_config.json: .*${name}`));
  });

  it.each([
    ["padding.direction", { padding: { strategy: "BatchLongest", direction: "Left" } }],
    ["truncation.direction", { truncation: { max_length: 77, direction: "Left" } }],
    ["truncation.stride", { truncation: { max_length: 77, stride: 2 } }],
    ["model.dropout", { model: { dropout: 0.1, vocab: {} } }],
    ["model.vocab", { model: {} }],
    ["post_processor", { post_processor: null }],
    ["post_processor", { post_processor: { type: "ByteLevel" } }],
    ["post_processor", { post_processor: { type: "Sequence", processors: [] } }],
    [
      "post_processor",
      { post_processor: { type: "TemplateProcessing", single: [{ Sequence: { id: "A" } }] } },
    ],
    ["vocabulary", { model: { vocab: Array.from({ length: 1_500_001 }, () => ["a", 0]) } }],
  ])("is refused for what tokenizer.json itself asks: %s", (name, tokenizer) => {
    const configs = configsOf("clip", { pad_token: null, added_tokens_decoder: {} }, tokenizer);
    expect(() => check("clip", configs)).toThrow(new RegExp(`^tokenizer.json: .*${name}`));
  });

  it("may hold what public files hold besides", () => {
    const keys = {
      add_prefix_space: false,
      added_tokens_decoder: { 49406: { content: "<|startoftext|>", special: true } },
      backend: "tokenizers",
      do_lower_case: true,
      errors: "replace",
      is_local: true,
      max_length: 77,
      pad_to_multiple_of: null,
      pad_token: "!",
      pad_token_type_id: 0,
      stride: 0,
      truncation_strategy: "longest_first",
    };
    // "!" is a token of CLIP's vocabulary, and the first.
    expect(check("clip", configsOf("clip", keys))).toMatchObject({ padTokenId: 0 });
    expect(
      check("siglip", configsOf("siglip", { do_lower_case: true, sp_model_kwargs: {} })),
    ).toMatchObject({
      canonicalize: "siglip",
      padTokenId: 1,
    });
    const gemma = { add_bos_token: false, add_eos_token: true };
    expect(check("siglip2", configsOf("siglip2", gemma))).toMatchObject({ padTokenId: 0 });
  });

  it("lowers the case where do_lower_case asks for it and tokenizer.json does not", () => {
    const gemma = { do_lower_case: true };
    expect(check("siglip2", configsOf("siglip2", gemma, { normalizer: null }))).toMatchObject({
      canonicalize: "lower",
    });
    expect(check("siglip2", configsOf("siglip2", gemma))).toMatchObject({ canonicalize: "none" });
  });
});
