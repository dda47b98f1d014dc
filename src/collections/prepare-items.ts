import { createHash, randomUUID } from "node:crypto";
import type { Embedding, Modality, ModalityInput } from "../encoders/encoder.js";
import { applyHead, dimensionsIn } from "../encoders/head.js";
import type { LoadedPack } from "../encoders/load.js";
import { AppError, invalidInput } from "../errors.js";
import type { Bridges } from "../heads/bridge-version.js";
import { headOfCollection } from "../heads/collection-head.js";
import { projectionOf } from "../heads/head-path.js";
import type { HeadStore } from "../heads/head-store.js";
import { headedModalities, type UsableHead } from "../heads/head-version.js";
import { checkEmbedding } from "../index/check-item.js";
import type { Item } from "../index/item.js";
import type { CollectionStats } from "../index/vector-store.js";
import type { Lease } from "../kept-media/kept-media.js";
import type { Log } from "../log.js";
import { sniffModality } from "../media/sniff.js";
import type { Turn } from "../media/turn.js";
import type { MediaParts, ReadBytes } from "../media/with-decoded.js";
import { inBulk } from "../priority.js";
import { embedAlong } from "../search/embed-along.js";
import { embedMedia } from "../search/embed-media.js";
import type { Path } from "../search/find-path.js";
import { pathInto } from "../search/headed-path.js";
import type { NewItem } from "./new-item.js";
import { mediaPreview, textPreview } from "./preview.js";

export interface PrepareParts extends MediaParts {
  packs: { list(): readonly LoadedPack[] };
  bridges: Bridges;
  heads: Pick<HeadStore, "use">;
  /** The request, stream or job that the items come from. */
  turn: Turn;
  log: Log;
  /** For collections that keep their media. */
  lease: Pick<Lease, "keep">;
}

/** An item for the store, with its decoder's warnings. */
export type PreparedItem = Item & { warnings?: readonly string[] };

/**
 * Decodes and embeds items for a collection. Their inputs are joined into batches by the encoders
 * (with-batching.ts), behind those of searches; an error of one item becomes its result and does
 * not affect the others.
 *
 * @returns per item, in order, what the store takes, or the error.
 * @throws the signal's reason when it aborts.
 */
export async function prepareItems(
  parts: PrepareParts,
  stats: CollectionStats,
  items: readonly (NewItem | AppError)[],
  signal?: AbortSignal,
): Promise<(PreparedItem | AppError)[]> {
  let loading: Promise<UsableHead | undefined> | undefined;
  const head = () => {
    loading ??= headOfCollection(parts.heads, stats);
    return loading;
  };
  const collection: HeadedCollection = { ...stats, head };
  const prepare = async (item: NewItem | AppError) => {
    try {
      return item instanceof AppError ? item : await prepareItem(parts, collection, item, signal);
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof AppError) return error;
      parts.log.error({ err: error, collection: collection.name }, "an item could not be prepared");
      return new AppError("inference_failed", "Internal error; see the server log");
    }
  };
  return inBulk(() => Promise.all(items.map(prepare)));
}

/** A collection whose head is loaded when the first item needs it. */
type HeadedCollection = CollectionStats & { head(): Promise<UsableHead | undefined> };

async function prepareItem(
  parts: PrepareParts,
  collection: HeadedCollection,
  item: NewItem,
  signal: AbortSignal | undefined,
): Promise<PreparedItem> {
  const { content, metadata, source, addedAt } = item;
  const prepared = await prepareContent(parts, collection, content, signal);
  const contentHash = item.contentHash ?? prepared.contentHash;
  const id = item.id ?? contentHash ?? randomUUID();
  const text = "text" in content ? content.text : undefined;
  return { ...prepared, id, metadata, source, contentHash, addedAt, text };
}

type Prepared = Pick<
  PreparedItem,
  "modality" | "embedding" | "original" | "contentHash" | "preview" | "media" | "warnings"
>;

async function prepareContent(
  parts: PrepareParts,
  collection: HeadedCollection,
  content: NewItem["content"],
  signal: AbortSignal | undefined,
): Promise<Prepared> {
  const withPreviews = collection.options.previews === true;
  if ("embedding" in content) {
    const prepared = await prepareEmbedding(collection, content);
    return { ...prepared, ...(await keepBeside(parts, collection, content)) };
  }
  if ("text" in content) {
    const { text } = content;
    const [embedded] = await embedAlong(await pathOf(parts, collection, "text"), [text], signal);
    const contentHash = createHash("sha256").update(text).digest("hex");
    return {
      modality: "text",
      ...embedded,
      contentHash,
      preview: withPreviews ? textPreview(text) : undefined,
    };
  }
  const options = { withPreviews, keepsMedia: keepsMedia(collection), signal };
  return "image" in content
    ? prepareMedia(parts, await pathOf(parts, collection, "image"), content.image, options)
    : prepareMedia(parts, await pathOf(parts, collection, "audio"), content.audio, options);
}

type EmbeddingContent = Extract<NewItem["content"], { embedding: Embedding }>;

async function prepareEmbedding(
  collection: HeadedCollection,
  { embedding, modality, space, original }: EmbeddingContent,
): Promise<Prepared> {
  const isComplete = original !== undefined && (space ?? collection.space) === collection.space;
  const head = isComplete ? undefined : await collection.head();
  if (head !== undefined && space === head.fromSpace) return project(head, modality, embedding);
  if (head !== undefined && original === undefined) {
    const message =
      `The collection "${collection.name}" follows a head: expected "original" beside the ` +
      `embedding, or an embedding with "space": "${head.fromSpace}"`;
    throw invalidInput("original", message);
  }
  if (space !== undefined && space !== collection.space) {
    const message =
      `The embedding is of the space "${space}", but the collection "${collection.name}" is ` +
      `in the space "${collection.space}"`;
    throw new AppError("space_mismatch", message, { param: "space" });
  }
  return { modality, embedding, original };
}

/** The picture or sound that came with its embedding, from an export say. */
async function keepBeside(
  { lease }: PrepareParts,
  collection: HeadedCollection,
  { media, modality }: EmbeddingContent,
): Promise<Pick<Prepared, "media" | "warnings">> {
  if (media === undefined) return {};
  if (!keepsMedia(collection)) {
    const warning = `The collection "${collection.name}" keeps no media: this item's were left out`;
    return { warnings: [warning] };
  }
  const bytes = await media();
  const found = sniffModality(bytes);
  if (found !== modality) {
    const message =
      `Expected the ${modality} of the embedding as "media" ` +
      `but received ${found ?? "an unknown format"}`;
    throw invalidInput("media", message);
  }
  return { media: await lease.keep(bytes) };
}

const keepsMedia = ({ options }: CollectionStats): boolean => options.keepMedia === true;

async function prepareMedia<M extends "image" | "audio">(
  parts: PrepareParts,
  path: Path<M>,
  readMedia: ReadBytes,
  {
    withPreviews,
    keepsMedia,
    signal,
  }: { withPreviews: boolean; keepsMedia: boolean; signal?: AbortSignal },
): Promise<Prepared> {
  let bytes: Uint8Array | undefined;
  const read = async () => {
    const found = await readMedia();
    if (keepsMedia) bytes = found;
    return found;
  };
  const inspect = async (decoded: ModalityInput[M]) => ({
    contentHash: decoded.contentHash,
    preview: withPreviews ? await mediaPreview(parts, decoded) : undefined,
  });
  const { embedded, seen, warnings } = await embedMedia(
    parts,
    parts.turn,
    { path, read, signal },
    inspect,
  );
  const media = bytes && (await parts.lease.keep(bytes));
  return { modality: path.encoder.modality, ...embedded, ...seen, media, warnings };
}

async function pathOf<M extends Modality>(
  parts: PrepareParts,
  collection: HeadedCollection,
  modality: M,
): Promise<Path<M>> {
  const { name, space, options } = collection;
  const head = await collection.head();
  const available = { packs: parts.packs.list(), bridges: parts.bridges.active() };
  const model = options.model as string | undefined;
  return pathInto(available, modality, { name, space, model, head });
}

/** An embedding that the head's model made elsewhere. */
function project(head: UsableHead, modality: Modality, embedding: Embedding): Prepared {
  if (!headedModalities(head).includes(modality)) {
    const message =
      `The head "${head.name}" is for ${headedModalities(head).join(" and ")}, not for ` +
      `${modality}`;
    throw invalidInput("modality", message);
  }
  const [projection] = projectionOf(head, modality);
  checkEmbedding(
    embedding,
    projection === undefined ? head.dimensions : dimensionsIn(projection),
    "embedding",
  );
  const [projected] = projection === undefined ? [embedding] : applyHead(projection, [embedding]);
  return { modality, embedding: projected, original: { space: head.fromSpace, embedding } };
}
