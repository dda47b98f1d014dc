import { timed } from "../stages.js";
import type { Embedding, Encoder } from "./encoder.js";
import type { TextPreprocess } from "./manifest.js";
import { padRows, type TokenBatch } from "./preprocess/tokenizer.js";
import type { Tokenizer } from "./preprocess/tokenizer-thread.js";
import { runTower, type Tower } from "./tower.js";

/**
 * Texts -> embeddings: tokenized and padded as the manifest says, then run as one batch. The public
 * CLAP exports take no attention mask, so that padding would change what they see (`padding:
 * masked`): their texts run in batches of one length. Towers that quantize dynamically run each
 * text alone: padding takes part in their scale too.
 */
export function textEncoder(
  tower: Tower,
  tokenizer: Tokenizer,
  preprocess: TextPreprocess,
): Encoder<"text"> {
  const takesMask = tower.session.info.inputs.some(({ name }) => name === "attention_mask");

  const encodeBatch = async ({ inputIds, attentionMask, shape }: TokenBatch) => {
    const feeds = {
      input_ids: { type: "int64", dims: shape, data: inputIds },
      text: { type: "int64", dims: shape, data: inputIds }, // its name in exports of open_clip
      attention_mask: { type: "int64", dims: shape, data: attentionMask },
      token_type_ids: { type: "int64", dims: shape, data: new BigInt64Array(inputIds.length) },
    } as const;
    return runTower(tower, feeds, shape[0]);
  };

  const groupsOf = (rows: readonly number[][]): number[][] => {
    if (tower.oneByOne) return rows.map((_, i) => [i]);
    return preprocess.padding === "masked" && !takesMask ? byLength(rows) : [rows.map((_, i) => i)];
  };

  return {
    modality: "text",
    modelId: tower.modelId,
    space: tower.space,
    dimensions: tower.dimensions,
    async encode(texts, signal) {
      const embeddings: Embedding[] = new Array(texts.length);
      const rows = await timed("preprocess", () => tokenizer.tokenize(texts, signal));
      for (const positions of groupsOf(rows)) {
        signal?.throwIfAborted();
        const batch = padRows(
          positions.map((i) => rows[i]),
          preprocess,
        );
        for (const [j, embedding] of (await encodeBatch(batch)).entries())
          embeddings[positions[j]] = embedding;
      }
      return embeddings;
    },
    async dispose() {
      await tokenizer.close();
      await tower.session.close();
    },
  };
}

/** Positions of texts, grouped by number of tokens. */
function byLength(rows: readonly number[][]): number[][] {
  const groups = new Map<number, number[]>();
  for (const [i, { length }] of rows.entries())
    groups.set(length, [...(groups.get(length) ?? []), i]);
  return [...groups.values()];
}
