import { AppError } from "../../errors.js";
import { moving, type Remote } from "../../workers/remote.js";
import { checkItem } from "../check-item.js";
import type { Item, ItemStatus } from "../item.js";
import { modalities } from "../modalities.js";
import { unitLength } from "../unit-length.js";
import type { Shape } from "./collection-names.js";
import type { ItemRow } from "./item-changes.js";
import type { StoreCore } from "./store-core.js";

/**
 * Items sent to the thread at a time: a transaction each, and a few milliseconds of the event loop
 * to copy.
 */
const itemsPerCall = 250;

/** Checks items and sends those that pass to the thread. @returns one status per item, in order. */
export async function upsertItems(
  core: Remote<StoreCore>,
  collection: string,
  items: readonly Item[],
  { shape, signal }: { shape: Shape; signal?: AbortSignal },
): Promise<ItemStatus[]> {
  const statuses: ItemStatus[] = [];
  for (let start = 0; start < items.length; start += itemsPerCall) {
    if (signal?.aborted) throw new AppError("cancelled", "The request was cancelled");
    const batch = items.slice(start, start + itemsPerCall);
    statuses.push(...(await upsertBatch(core, collection, batch, shape)));
  }
  return statuses;
}

async function upsertBatch(
  core: Remote<StoreCore>,
  collection: string,
  items: readonly Item[],
  shape: Shape,
): Promise<ItemStatus[]> {
  const good: ItemRow[] = [];
  const statuses = items.map((item): ItemStatus => {
    try {
      good.push(rowOf(item, checkItem(item, shape)));
      return { id: item.id, status: "stored", replaced: false };
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      const { code, message, param } = error;
      return { id: item.id, status: "failed", error: { code, message, param } };
    }
  });
  if (good.length === 0) return statuses;
  const buffers = good.map(({ embedding }) => embedding.buffer as ArrayBuffer);
  const replaced = await core.upsert(collection, shape, moving(good, buffers));
  let next = 0;
  return statuses.map((status) =>
    status.status === "stored" ? { ...status, replaced: replaced[next++] } : status,
  );
}

function rowOf(item: Item, metadata: string | undefined): ItemRow {
  const { id, modality, embedding, original, source, contentHash, text, addedAt } = item;
  const { preview, media } = item;
  const requested = addedAt === undefined ? undefined : Date.parse(addedAt);
  return {
    id,
    modality: modalities.indexOf(modality),
    embedding: unitLength(embedding),
    original: original && { space: original.space, embedding: original.embedding.slice() },
    metadata,
    text,
    addedAt: { requested, now: Date.now() },
    source,
    contentHash,
    preview: preview && { mediaType: preview.mediaType, bytes: preview.bytes.slice() },
    media,
  };
}
