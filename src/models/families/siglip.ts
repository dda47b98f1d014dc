import { contextLength, type Family, lowerIfAsked, padTokenId } from "./family.js";
import { imagePreprocess } from "./image-processor.js";

/** Normalisation of texts by the `tokenizer_class` of tokenizer_config.json. */
const canonicalizes = new Map<unknown, "siglip" | "lower">([
  ["SiglipTokenizer", "siglip"],
  ["Siglip2Tokenizer", "lower"],
]);

/**
 * SigLIP (Zhai et al. 2023) and SigLIP 2. The text pools at the last position and there is no mask:
 * texts are always padded to the full context. SigLIP's own tokenizer removes punctuation; SigLIP 2
 * (Gemma's) keeps it. SigLIP 2 was trained on lower case (Tschannen et al. 2025), but its files
 * mostly name GemmaTokenizer, which leaves the case alone whatever `do_lower_case` says.
 */
export const siglip: Family = {
  family: "siglip",
  activation: "sigmoid",
  dimensions: 768,
  projects: false,
  outputs: { text: ["text_embeds", "pooler_output"], image: ["image_embeds", "pooler_output"] },
  text: (configs) => ({
    contextLength: Math.min(contextLength(configs, 64), 64),
    padding: "max",
    padTokenId: padTokenId(configs),
    canonicalize:
      canonicalizes.get(configs.tokenizerConfig.tokenizer_class) ?? lowerIfAsked(configs),
  }),
  image: (configs) => imagePreprocess(configs, "SiglipImageProcessor"),
  promptTemplates: { image: ["This is a photo of {}."] },
};
