import { z } from "zod";
import type { Content, NewItem } from "../collections/new-item.js";
import { AppError } from "../errors.js";
import type { JsonObject } from "../index/vector-store.js";
import type { ReadBytes } from "../media/with-decoded.js";
import { embeddingFields, embeddingOf } from "./embedding-field.js";
import { type FetchMedia, type MediaField, readMedia } from "./read-media.js";
import { Media } from "./read-request.js";

export const modalityField = z.enum(["text", "image", "audio"]);

/** An item as it goes over the wire, in every way to add it; also a line of an export. */
export const ItemBody = z.strictObject({
  id: z.string().optional(),
  text: z.string().min(1).optional(),
  image: Media.optional(),
  audio: Media.optional(),
  ...embeddingFields,
  modality: modalityField.optional(),
  space: z.string().min(1).optional(),
  original: z.strictObject({ space: z.string().min(1), ...embeddingFields }).optional(),
  metadata: z.record(z.string(), z.unknown()).optional(),
  source: z.string().optional(),
  content_hash: z.string().optional(),
});
export type ItemBody = z.infer<typeof ItemBody>;

/** Reads media of a request when its turn comes. */
export type MediaReader = (field: MediaField, param: string) => ReadBytes;

export const mediaReader =
  (fetchMedia: FetchMedia, signal: AbortSignal): MediaReader =>
  (field, param) =>
  () =>
    readMedia(field, param, fetchMedia, signal);

/** @throws AppError `invalid_input` unless the item has exactly one content, and what belongs to it. */
export function newItem(body: ItemBody, readerOf: MediaReader): NewItem {
  const { id, metadata, source, content_hash: contentHash } = body;
  return {
    id,
    content: contentOf(body, readerOf),
    metadata: metadata as JsonObject | undefined,
    source,
    contentHash,
  };
}

const contents = ["text", "image", "audio", "embedding"] as const;

function contentOf(body: ItemBody, readerOf: MediaReader): Content {
  const { text, image, audio, modality, space, original } = body;
  const embedding = embeddingOf(body);
  const given = contents.filter((name) => ({ text, image, audio, embedding })[name] !== undefined);
  const [kind] = given;
  if (given.length !== 1) {
    const came = given.length === 0 ? "none" : given.join(" and ");
    const message = `Expected one of "text", "image", "audio" and "embedding" but received ${came}`;
    throw new AppError("invalid_input", message, { param: given[1] ?? "text" });
  }
  if (kind !== "embedding" && modality !== undefined && modality !== kind) {
    throw new AppError("invalid_input", `Expected ${kind} as modality but received ${modality}`, {
      param: "modality",
    });
  }
  if (kind !== "embedding" && (space !== undefined || original !== undefined)) {
    const param = space === undefined ? "original" : "space";
    throw new AppError("invalid_input", `"${param}" belongs to an "embedding", not to ${kind}`, {
      param,
    });
  }
  if (text !== undefined) return { text };
  if (image !== undefined) return { image: readerOf(image, "image") };
  if (audio !== undefined) return { audio: readerOf(audio, "audio") };
  if (modality === undefined) {
    const message = 'Expected "modality" (text, image or audio) beside an embedding';
    throw new AppError("invalid_input", message, { param: "modality" });
  }
  return { embedding: embedding!, modality, space, original: original && originalOf(original) };
}

function originalOf(original: NonNullable<ItemBody["original"]>) {
  const embedding = embeddingOf(original, "original.");
  if (embedding !== undefined) return { space: original.space, embedding };
  throw new AppError("invalid_input", '"original.embedding" is missing', {
    param: "original.embedding",
  });
}
