import { timed } from "../metrics.js";
import type { Encoder } from "./encoder.js";
import type { Tokenizer } from "./preprocess/tokenizer.js";
import { runTower, type Tower } from "./tower.js";

/** Texts -> embeddings: tokenized and padded as the manifest says, then run as one batch. */
export function textEncoder(tower: Tower, tokenizer: Tokenizer): Encoder<"text"> {
  return {
    modality: "text",
    modelId: tower.modelId,
    space: tower.space,
    dimensions: tower.dimensions,
    async encode(texts, signal) {
      const { inputIds, attentionMask, shape } = await timed("preprocess", async () => tokenizer.encode(texts));
      signal?.throwIfAborted();
      const feeds = {
        input_ids: { type: "int64", dims: shape, data: inputIds },
        attention_mask: { type: "int64", dims: shape, data: attentionMask },
        token_type_ids: { type: "int64", dims: shape, data: new BigInt64Array(inputIds.length) },
      } as const;
      return runTower(tower, feeds, texts.length);
    },
    dispose: () => tower.session.close(),
  };
}
