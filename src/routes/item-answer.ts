import type { StoredItem } from "../index/item.js";
import type { ExportedItem, ItemAnswer } from "../wire/items.js";
import { toBase64 } from "./embedding-field.js";

/** An item on the wire; without its embedding unless requested. */
export function itemAnswer(item: StoredItem, include?: "embedding"): ItemAnswer {
  const { id, modality, metadata, text, addedAt, source, contentHash, embedding } = item;
  const facts = { id, modality, metadata, text, added_at: addedAt };
  const answer = { ...facts, source, content_hash: contentHash };
  return include === "embedding" ? { ...answer, embedding: Array.from(embedding) } : answer;
}

/** A line of an export: an item that can be added again. */
export function exportLine(item: StoredItem, space: string, format: "float" | "base64"): string {
  const { id, modality, metadata, text, addedAt, source, contentHash, embedding, original } = item;
  const numbers = (values: Float32Array) =>
    format === "base64"
      ? { embedding_base64: toBase64(values) }
      : { embedding: Array.from(values) };
  return JSON.stringify({
    id,
    modality,
    space,
    ...numbers(embedding),
    original: original && { space: original.space, ...numbers(original.embedding) },
    metadata,
    text,
    added_at: addedAt,
    source,
    content_hash: contentHash,
  } satisfies ExportedItem);
}
