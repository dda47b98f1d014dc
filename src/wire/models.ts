import { z } from "zod";
import { Modality } from "./fields.js";

/** OpenAI's shape and more. */
export const ModelAnswer = z.object({
  id: z.string(),
  /** Further names, of the option `aliases`. */
  aliases: z.array(z.string()),
  object: z.literal("model"),
  /** Seconds since 1970: when this server loaded it. */
  created: z.int(),
  owned_by: z.string(),
  family: z.string(),
  revision: z.string(),
  /** Two embeddings can be compared when this is the same. */
  space: z.string(),
  dimensions: z.int(),
  modalities: z.array(Modality),
  /** For llama.cpp's clients; `n_ctx` is the longest text in tokens. */
  architecture: z.object({ input_modalities: z.array(Modality) }),
  meta: z.object({ n_ctx: z.int() }),
  towers: z.array(
    z.object({
      modality: Modality,
      dtype: z.string(),
      file: z.string(),
      /** Where it really runs. */
      provider: z.string(),
      fallback_reason: z.string().nullable(),
    }),
  ),
  activation: z.enum(["softmax", "sigmoid"]),
  logit_scale: z.number(),
  logit_bias: z.number(),
  prompt_templates: z.partialRecord(Modality, z.array(z.string())),
  source: z.string(),
  license: z.string(),
});
export type ModelAnswer = z.infer<typeof ModelAnswer>;

export const ModelList = z.object({ object: z.literal("list"), data: z.array(ModelAnswer) });
export type ModelList = z.infer<typeof ModelList>;
