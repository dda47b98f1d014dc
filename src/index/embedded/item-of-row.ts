import type { StoredItem } from "../item.js";
import { modalities } from "../modalities.js";
import { floatsOf } from "./item-rows.js";
import { mediaOf } from "./media-rows.js";
import type { Row } from "./sqlite.js";

/** An item as it was added, from its row of the database. */
export function itemOf(row: Row): StoredItem {
  const item: StoredItem = {
    id: row.id as string,
    modality: modalities[row.modality as number],
    embedding: floatsOf(row.embedding as Uint8Array),
    metadata: JSON.parse(row.metadata as string),
  };
  if (row.original_embedding !== null) {
    const embedding = floatsOf(row.original_embedding as Uint8Array);
    item.original = { space: row.original_space as string, embedding };
  }
  if (row.text !== null) item.text = row.text as string;
  if (row.added_at !== null) item.addedAt = new Date(row.added_at as number).toISOString();
  if (row.source !== null) item.source = row.source as string;
  if (row.content_hash !== null) item.contentHash = row.content_hash as string;
  const media = mediaOf(row);
  if (media !== undefined) item.media = media;
  return item;
}
