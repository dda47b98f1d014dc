import { z } from "zod";
import { HeadReference, Warnings } from "./common.js";
import { listOf, Media, Modality, Numbers, optional, withDefault } from "./field-types.js";

/**
 * An embedding in a body: numbers, or the base64 of their float32 bytes (little-endian), a fourth
 * of the size.
 */
export const embeddingFields = {
  embedding: optional(Numbers),
  embedding_base64: optional(z.string().min(1)),
};

export const EmbeddingFormat = z.enum(["float", "base64"]);

export const EmbeddingsRequest = z.strictObject({
  input: z.union([Media, listOf(Media, { min: 1, max: 100_000 })]),
  model: optional(z.string()),
  /** A head of the model: its active version. */
  head: optional(z.string().min(1)),
  modality: optional(Modality),
  encoding_format: withDefault(EmbeddingFormat, "float"),
  dimensions: optional(z.coerce.number<number>().int().positive()),
  /** Accepted for OpenAI's clients; ignored. */
  user: optional(z.string()),
});
export type EmbeddingsRequest = z.infer<typeof EmbeddingsRequest>;

export const EmbeddingsAnswer = z.object({
  object: z.literal("list"),
  model: z.string(),
  head: HeadReference.optional(),
  space: z.string(),
  data: z.array(
    z.object({
      object: z.literal("embedding"),
      index: z.int(),
      /** A string with `encoding_format` base64. */
      embedding: z.union([z.array(z.number()), z.string()]),
      warnings: Warnings.optional(),
    }),
  ),
  usage: z.object({ prompt_tokens: z.int(), total_tokens: z.int() }),
});
export type EmbeddingsAnswer = z.infer<typeof EmbeddingsAnswer>;
