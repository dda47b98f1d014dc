import { contextLength, type Family, imagePreprocess, padTokenId } from "./family.js";

/**
 * SigLIP (Zhai et al. 2023) and SigLIP 2. The text pools at the last position and there is no mask: texts are always padded
 * to the full context. SigLIP's own tokenizer removes punctuation; SigLIP 2 (Gemma's) keeps it.
 */
export const siglip: Family = {
  family: "siglip",
  activation: "sigmoid",
  outputs: { text: ["text_embeds", "pooler_output"], image: ["image_embeds", "pooler_output"] },
  text: (configs) => ({
    contextLength: Math.min(contextLength(configs), 64),
    padding: "max",
    padTokenId: padTokenId(configs),
    canonicalize: configs.tokenizerConfig.tokenizer_class === "SiglipTokenizer" ? "siglip" : "none",
  }),
  image: imagePreprocess,
  promptTemplates: { image: ["This is a photo of {}."] },
};
