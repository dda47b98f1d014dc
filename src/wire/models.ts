import { z } from "zod";
import { listOf, Modality, optional, withDefault } from "./field-types.js";

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
  /** Allowed as `dimensions` of an embedding: a list, or all from `min` on; null for none. */
  shorter_dimensions: z.union([z.array(z.int()), z.object({ min: z.int() })]).nullable(),
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
      /** Of its weights. */
      bytes: z.int(),
      /** False while its graph is out of memory; the next input brings it back. */
      in_memory: z.boolean(),
    }),
  ),
  /**
   * For `reject`: how much of the shipped background is embedded in its space. The first request
   * with `reject` embeds all of it.
   */
  background: z.array(
    z.object({ modality: z.enum(["image", "audio"]), embedded: z.int(), total: z.int() }),
  ),
  /** Its graphs stay in memory. */
  pinned: z.boolean(),
  activation: z.enum(["softmax", "sigmoid"]),
  logit_scale: z.number(),
  logit_bias: z.number(),
  prompt_templates: z.partialRecord(Modality, z.array(z.string())),
  source: z.string(),
  license: z.string(),
});
export type ModelAnswer = z.infer<typeof ModelAnswer>;

export const ModelList = z.object({
  object: z.literal("list"),
  data: z.array(ModelAnswer),
  /** Ids of what is installed, loaded or not. */
  installed: z.array(z.string()),
});
export type ModelList = z.infer<typeof ModelList>;

/** Either a model that is installed, or one to be pulled from the hub by a job. */
export const LoadModel = z.strictObject({
  model: optional(z.string().min(1)),
  /** Reads its files again when it is loaded already. */
  reload: withDefault(z.boolean(), false),
  /** Keeps its graphs in memory, or not any more. */
  pinned: optional(z.boolean()),
  /** A built-in model or `owner/name` of the hub, with `@revision` perhaps. */
  pull: optional(z.string().min(1)),
  /** To install it as. */
  id: optional(z.string().min(1)),
  dtypes: withDefault(listOf(z.enum(["fp32", "fp16", "int8", "q4"]), { min: 1, max: 4 }), ["fp32"]),
});
export type LoadModel = z.infer<typeof LoadModel>;

export const ModelUnloaded = z.object({ id: z.string(), unloaded: z.literal(true) });
export type ModelUnloaded = z.infer<typeof ModelUnloaded>;
