import { z } from "zod";
import type { Embedding } from "../../encoders/encoder.js";
import { AnyVector } from "./answer-fields.js";
import { asOutputType, type OutputType } from "./output-types.js";

export const OpenaiEntry = z.object({
  object: z.literal("embedding"),
  index: z.int(),
  embedding: AnyVector,
});

export const OpenaiList = z.object({
  object: z.literal("list"),
  model: z.string(),
  data: z.array(OpenaiEntry),
  usage: z.object({ prompt_tokens: z.int(), total_tokens: z.int() }),
});

/** Embeddings in OpenAI's list, which several others use too. */
export function openaiList(model: string, embeddings: readonly Embedding[], type: OutputType) {
  return {
    object: "list",
    model,
    data: embeddings.map((embedding, index) => ({
      object: "embedding",
      index,
      embedding: asOutputType(embedding, type),
    })),
  };
}
