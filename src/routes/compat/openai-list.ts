import type { Embedding } from "../../encoders/encoder.js";
import { asOutputType, type OutputType } from "./output-types.js";

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
