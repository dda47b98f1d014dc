import { createHash, randomUUID } from "node:crypto";
import type { Modality, ModalityInput } from "../encoders/encoder.js";
import type { LoadedPack } from "../encoders/load.js";
import { withPatience } from "../encoders/with-patience.js";
import { AppError } from "../errors.js";
import type { Bridges } from "../heads/bridge-store.js";
import type { CollectionStats, Item } from "../index/vector-store.js";
import type { Log } from "../log.js";
import type { DecodeGate } from "../search/decode-gate.js";
import { embedAlong } from "../search/embed-along.js";
import { embedMedia, type MediaParts, type ReadBytes } from "../search/embed-media.js";
import { findPath, type Path } from "../search/find-path.js";
import type { NewItem } from "./new-item.js";
import { mediaPreview, textPreview } from "./preview.js";

export interface PrepareParts extends MediaParts {
  packs: { list(): readonly LoadedPack[] };
  bridges: Bridges;
  gates: { adds: DecodeGate };
  log: Log;
}

/**
 * Decodes and embeds items for a collection. Their inputs are joined into batches by the encoders (with-batching.ts);
 * whatever is wrong with one of them is its result and holds back no other.
 *
 * @returns per item, in order, what the store takes, or the error.
 * @throws the signal's reason when it aborts.
 */
export function prepareItems(
  parts: PrepareParts,
  collection: CollectionStats,
  items: readonly (NewItem | AppError)[],
  signal?: AbortSignal,
): Promise<(Item | AppError)[]> {
  return Promise.all(
    items.map(async (item) => {
      try {
        return item instanceof AppError ? item : await prepareItem(parts, collection, item, signal);
      } catch (error) {
        signal?.throwIfAborted();
        if (error instanceof AppError) return error;
        parts.log.error({ err: error, collection: collection.name }, "an item could not be prepared");
        return new AppError("inference_failed", "The item failed by a fault of ours; its cause is in the server's log");
      }
    }),
  );
}

async function prepareItem(
  parts: PrepareParts,
  collection: CollectionStats,
  item: NewItem,
  signal: AbortSignal | undefined,
): Promise<Item> {
  const { content, metadata, source } = item;
  const prepared = await prepareContent(parts, collection, content, signal);
  const contentHash = item.contentHash ?? prepared.contentHash;
  return { ...prepared, id: item.id ?? contentHash ?? randomUUID(), metadata, source, contentHash };
}

type Prepared = Pick<Item, "modality" | "embedding" | "original" | "contentHash" | "preview">;

async function prepareContent(
  parts: PrepareParts,
  collection: CollectionStats,
  content: NewItem["content"],
  signal: AbortSignal | undefined,
): Promise<Prepared> {
  const withPreviews = collection.options.previews === true;
  if ("embedding" in content) {
    const { embedding, modality, space, original } = content;
    if (space !== undefined && space !== collection.space) {
      const message = `The embedding is of the space "${space}", but the collection "${collection.name}" is in the space "${collection.space}"`;
      throw new AppError("space_mismatch", message, { param: "space" });
    }
    return { modality, embedding, original };
  }
  if ("text" in content) {
    const { text } = content;
    const [embedded] = await embedAlong(pathInto(parts, collection, "text"), [text], signal);
    const contentHash = createHash("sha256").update(text).digest("hex");
    return { modality: "text", ...embedded, contentHash, preview: withPreviews ? textPreview(text) : undefined };
  }
  const options = { withPreviews, signal };
  return "image" in content
    ? prepareMedia(parts, pathInto(parts, collection, "image"), content.image, options)
    : prepareMedia(parts, pathInto(parts, collection, "audio"), content.audio, options);
}

async function prepareMedia<M extends "image" | "audio">(
  parts: PrepareParts,
  path: Path<M>,
  read: ReadBytes,
  { withPreviews, signal }: { withPreviews: boolean; signal?: AbortSignal },
): Promise<Prepared> {
  const look = async (decoded: ModalityInput[M]) => ({
    contentHash: decoded.contentHash,
    preview: withPreviews ? await mediaPreview(parts, decoded) : undefined,
  });
  const { embedded, seen } = await embedMedia({ ...parts, gate: parts.gates.adds }, path, read, { look, signal });
  return { modality: path.encoder.modality, ...embedded, ...seen };
}

function pathInto<M extends Modality>(parts: PrepareParts, collection: CollectionStats, modality: M): Path<M> {
  const { name, space, options } = collection;
  const known = { packs: parts.packs.list(), bridges: parts.bridges.active() };
  const path = findPath(known, modality, { name, space, model: options.model as string | undefined });
  return { ...path, encoder: withPatience(path.encoder) };
}
