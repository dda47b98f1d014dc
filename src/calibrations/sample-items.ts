import type { Embedding } from "../encoders/encoder.js";
import { lookUp } from "../index/match-filter.js";
import type { VectorStore } from "../index/vector-store.js";
import { seededRandom } from "../math/random.js";

export interface SampledItem {
  embedding: Embedding;
  /** Undefined when no field was requested, or the item has no text, number or boolean in it. */
  label: string | undefined;
}

/**
 * At most `count` items of one modality, each as likely as any other, and the same ones each time
 * (reservoir sampling, Vitter 1985). With a field, only items that have it.
 *
 * @returns in no meaningful order; `total` is how many there were.
 */
export async function sampleItems(
  store: Pick<VectorStore, "scan">,
  collection: string,
  {
    modality,
    space,
    by,
    count,
    signal,
  }: {
    modality: "image" | "audio";
    space: string;
    by: string | undefined;
    count: number;
    signal?: AbortSignal;
  },
): Promise<{ items: SampledItem[]; total: number }> {
  const random = seededRandom(1);
  const path = by?.replace(/^metadata\./, "");
  const items: SampledItem[] = [];
  let total = 0;
  for await (const { embedding, metadata } of store.scan(collection, { modality, space })) {
    signal?.throwIfAborted();
    const value = path === undefined ? undefined : lookUp(metadata, path);
    const isLabel = ["string", "number", "boolean"].includes(typeof value);
    if (path !== undefined && !isLabel) continue;
    const item = { embedding, label: isLabel ? String(value) : undefined };
    const place = total < count ? total : random.integer(total + 1);
    if (place < count) items[place] = item;
    total++;
  }
  // Shuffled: the first rows are the background, and must not be those added first
  return { items: [...random.permutation(items.length)].map((i) => items[i]), total };
}
