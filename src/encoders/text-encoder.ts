import { timed } from "../metrics.js";
import type { Embedding, Encoder } from "./encoder.js";
import type { TextPreprocess } from "./manifest.js";
import type { TokenBatch, Tokenizer } from "./preprocess/tokenizer.js";
import { runTower, type Tower } from "./tower.js";

/**
 * Texts -> embeddings: tokenized and padded as the manifest says, then run as one batch. The public CLAP exports take no
 * attention mask, so that padding would change what they see (`padding: masked`): their texts run in batches of one length.
 * Towers that quantize dynamically run each text alone: padding takes part in their scale too.
 */
export function textEncoder(
  tower: Tower,
  tokenizer: Tokenizer,
  padding: TextPreprocess["padding"],
): Encoder<"text"> {
  const takesMask = tower.session.info.inputs.some(({ name }) => name === "attention_mask");

  const encodeBatch = async ({ inputIds, attentionMask, shape }: TokenBatch) => {
    const feeds = {
      input_ids: { type: "int64", dims: shape, data: inputIds },
      attention_mask: { type: "int64", dims: shape, data: attentionMask },
      token_type_ids: { type: "int64", dims: shape, data: new BigInt64Array(inputIds.length) },
    } as const;
    return runTower(tower, feeds, shape[0]);
  };

  const groupsOf = (texts: readonly string[]): number[][] => {
    if (tower.oneByOne) return texts.map((_, i) => [i]);
    return padding === "masked" && !takesMask
      ? byTokenCount(texts, tokenizer)
      : [texts.map((_, i) => i)];
  };

  return {
    modality: "text",
    modelId: tower.modelId,
    space: tower.space,
    dimensions: tower.dimensions,
    async encode(texts, signal) {
      const embeddings: Embedding[] = new Array(texts.length);
      for (const positions of groupsOf(texts)) {
        const batch = await timed("preprocess", async () =>
          tokenizer.encode(positions.map((i) => texts[i])),
        );
        signal?.throwIfAborted();
        for (const [j, embedding] of (await encodeBatch(batch)).entries())
          embeddings[positions[j]] = embedding;
      }
      return embeddings;
    },
    dispose: () => tower.session.close(),
  };
}

/** Positions of the texts that have as many tokens as each other. */
function byTokenCount(texts: readonly string[], tokenizer: Tokenizer): number[][] {
  const groups = new Map<number, number[]>();
  for (const [i, text] of texts.entries()) {
    const count = tokenizer.countTokens([text]);
    groups.set(count, [...(groups.get(count) ?? []), i]);
  }
  return [...groups.values()];
}
