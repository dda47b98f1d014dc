import type { StoredItem } from "../index/item.js";
import type { ExportedItem, ItemAnswer } from "../wire/items.js";
import { toBase64 } from "./embedding-field.js";

/**
 * An item on the wire; without its embedding unless requested.
 * @param mediaUrl  of the media that are kept of it.
 */
export function itemAnswer(
  item: StoredItem,
  mediaUrl: string | undefined,
  include?: "embedding",
): ItemAnswer {
  const { id, modality, metadata, text, addedAt, source, contentHash, embedding } = item;
  const facts = { id, modality, metadata, text, added_at: addedAt };
  const answer = { ...facts, source, content_hash: contentHash, media_url: mediaUrl };
  return include === "embedding" ? { ...answer, embedding: Array.from(embedding) } : answer;
}

/**
 * A line of an export: an item that can be added again.
 * @param media  the bytes that are kept of it, when they are to come with it.
 */
export function exportLine(
  item: StoredItem,
  { space, format, media }: { space: string; format: "float" | "base64"; media?: Buffer },
): string {
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
    media: media?.toString("base64"),
  } satisfies ExportedItem);
}
