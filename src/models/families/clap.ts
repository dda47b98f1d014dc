import { contextLength, type Family, lowerIfAsked, padTokenId } from "./family.js";
import { featurePreprocess } from "./feature-extractor.js";

/** CLAP (Wu et al. 2023). */
export const clap: Family = {
  family: "clap",
  activation: "softmax",
  dimensions: 512,
  projects: true,
  outputs: { text: ["text_embeds"], audio: ["audio_embeds"] },
  text: (configs) => ({
    // RoBERTa's positions count from the padding id + 1.
    contextLength: contextLength(configs, 514, 2),
    padding: "masked",
    padTokenId: padTokenId(configs),
    canonicalize: lowerIfAsked(configs),
  }),
  audio: featurePreprocess,
  promptTemplates: { audio: ["This is a sound of {}."] },
};
