import type { Content, NewItem } from "../collections/new-item.js";
import { invalidInput } from "../errors.js";
import type { JsonObject } from "../index/item.js";
import { type FetchMedia, isUrl, type MediaField, readMedia } from "../media/read-media.js";
import type { ReadBytes } from "../media/with-decoded.js";
import type { ItemBody } from "../wire/items.js";
import { embeddingOf } from "./embedding-field.js";

/** Reads a request's media when its turn comes. */
export type MediaReader = (field: MediaField, param: string) => ReadBytes;

/**
 * Base64 up to this length is decoded at once: its string would be kept, and copied and marked by
 * garbage collections, until its turn comes. Longer strings are not copied.
 */
const maxDecodedAtOnce = 2 ** 17;

export const mediaReader =
  (fetchMedia: FetchMedia, signal: AbortSignal): MediaReader =>
  (field, param) =>
    typeof field === "string" && field.length <= maxDecodedAtOnce && !isUrl(field)
      ? held(readMedia(field, param, fetchMedia, signal))
      : later(field, param, fetchMedia, signal);

// Functions of their own: closures made in one function keep all that any of them uses.
const later =
  (...args: Parameters<typeof readMedia>): ReadBytes =>
  () =>
    readMedia(...args);
function held(bytes: Promise<Uint8Array>): ReadBytes {
  bytes.catch(() => undefined); // thrown when it is read
  return () => bytes;
}

/**
 * @throws AppError `invalid_input` unless the item has exactly one content with its fields.
 */
export function newItem(body: ItemBody, readerOf: MediaReader): NewItem {
  const { id, metadata, source, content_hash: contentHash, added_at: addedAt } = body;
  return {
    addedAt,
    id,
    content: contentOf(body, readerOf),
    metadata: metadata as JsonObject | undefined,
    source,
    contentHash,
  };
}

const contents = ["text", "image", "audio", "embedding"] as const;

function contentOf(body: ItemBody, readerOf: MediaReader): Content {
  const { image, audio, modality, space, original, media } = body;
  const embedding = embeddingOf(body);
  // With the embedding of a text it is that text, as in an export.
  const ownText = embedding !== undefined && modality === "text" ? body.text : undefined;
  const text = ownText === undefined ? body.text : undefined;
  const present = contents.filter(
    (name) => ({ text, image, audio, embedding })[name] !== undefined,
  );
  const [kind] = present;
  if (present.length !== 1) {
    const received = present.length === 0 ? "none" : present.join(" and ");
    const expected = 'Expected one of "text", "image", "audio" and "embedding"';
    throw invalidInput(present[1] ?? "text", `${expected} but received ${received}`);
  }
  if (kind !== "embedding" && modality !== undefined && modality !== kind) {
    throw invalidInput("modality", `Expected ${kind} as modality but received ${modality}`);
  }
  if (kind !== "embedding" && (space !== undefined || original !== undefined)) {
    const param = space === undefined ? "original" : "space";
    throw invalidInput(param, `"${param}" belongs to an "embedding", not to ${kind}`);
  }
  if (media !== undefined && (kind !== "embedding" || modality === "text")) {
    const other = kind === "embedding" ? "one of a text" : kind;
    const message = `"media" belongs to the embedding of a picture or sound, not to ${other}`;
    throw invalidInput("media", message);
  }
  if (text !== undefined) return { text };
  if (image !== undefined) return { image: readerOf(image, "image") };
  if (audio !== undefined) return { audio: readerOf(audio, "audio") };
  if (modality === undefined) {
    const message = 'Expected "modality" (text, image or audio) beside an embedding';
    throw invalidInput("modality", message);
  }
  const numbers = { embedding: embedding!, original: original && originalOf(original) };
  const kept = media === undefined ? undefined : readerOf(media, "media");
  return { ...numbers, modality, space, text: ownText, media: kept };
}

function originalOf(original: NonNullable<ItemBody["original"]>) {
  const embedding = embeddingOf(original, "original.");
  if (embedding !== undefined) return { space: original.space, embedding };
  throw invalidInput("original.embedding", '"original.embedding" is missing');
}
