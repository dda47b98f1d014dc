import { contextLength, type Family, lowerIfAsked, padTokenId } from "./family.js";
import { imagePreprocess } from "./image-processor.js";

/**
 * CLIP (Radford et al. 2021). The text pools at the first end token, so padding behind it changes
 * nothing.
 */
export const clip: Family = {
  family: "clip",
  activation: "softmax",
  dimensions: 512,
  projects: true,
  outputs: { text: ["text_embeds"], image: ["image_embeds"] },
  text: (configs) => ({
    contextLength: contextLength(configs, 77),
    padding: "longest",
    padTokenId: padTokenId(configs),
    canonicalize: lowerIfAsked(configs),
  }),
  image: (configs) => imagePreprocess(configs, "CLIPImageProcessor"),
  promptTemplates: { image: ["a photo of a {}."] },
};
