import { createHash } from "node:crypto";
import { isAbsolute } from "node:path";
import { AppError } from "../errors.js";
import type { StoredItem } from "../index/item.js";
import type { KeptMedia } from "../kept-media/kept-media.js";
import { LocalFiles } from "../media/local-files.js";
import type { FetchMedia } from "../media/read-media.js";
import { sniffModality } from "../media/sniff.js";
import type { Content } from "./new-item.js";

export interface SourceParts {
  config: { sourceFolders: readonly string[]; maxBodyBytes: number };
  fetchMedia: FetchMedia;
  keptMedia: Pick<KeptMedia, "read">;
}

/** What a stored item was made from, so that it can be embedded again. */
export type ContentOf = (item: StoredItem, signal: AbortSignal) => Content;

/**
 * Finds the content of stored items: a text or file that was kept, a file in one of the folders
 * that the operator allows, or a URL under the rules for URLs. What an item's `source` says comes
 * from whoever added it, and leads nowhere else.
 * @throws AppError `invalid_input` for an allowed folder that is none; from the content, or when it
 *   is read, with why it cannot be had.
 */
export async function sourceReader(parts: SourceParts): Promise<ContentOf> {
  const { config, fetchMedia, keptMedia } = parts;
  const { sourceFolders, maxBodyBytes } = config;
  const allowed = await LocalFiles.open(sourceFolders, maxBodyBytes);
  const readBytes = async (item: StoredItem, signal: AbortSignal) => {
    const { media, source, contentHash } = item;
    if (media !== undefined) return keptMedia.read(media);
    if (source === undefined) throw missing("its file was not kept, and it has no source");
    if (/^https?:/i.test(source)) return fetchMedia(source, signal);
    const file = isAbsolute(source) && (await fileIn(allowed, source));
    if (!file)
      throw missing(`there is no file "${shortened(source)}" in the folders of sourceFolders`);
    const [stored] = (contentHash ?? "").split("+"); // earlier versions added a sum of the metadata
    const isHash = /^[0-9a-f]{64}$/.test(stored);
    if (isHash && createHash("sha256").update(file.bytes).digest("hex") !== stored)
      throw new AppError("conflict", "its file has changed since it was added");
    return file.bytes;
  };
  return (item, signal) => {
    const { modality, text } = item;
    if (modality === "text") {
      if (text === undefined) throw missing("its text was not kept");
      return { text };
    }
    const read = async () => {
      const bytes = await readBytes(item, signal);
      const found = sniffModality(bytes);
      if (found === modality) return bytes;
      const message = `its source is ${found === undefined ? "no known format" : `of ${found}`}`;
      throw new AppError("unsupported_media", `${message}, and the item of ${modality}`);
    };
    return modality === "image" ? { image: read } : { audio: read };
  };
}

/** Whether a copy was made from what the item is made from now. */
export function hasContentOf(item: StoredItem, copy: StoredItem | undefined): boolean {
  return (
    copy !== undefined &&
    item.contentHash !== undefined &&
    item.contentHash === copy.contentHash &&
    item.modality === copy.modality &&
    item.text === copy.text &&
    item.source === copy.source
  );
}

/** @throws AppError for what is too large, or neither a picture nor a sound. */
const fileIn = (allowed: LocalFiles, path: string) =>
  allowed.read(path).catch((error) => {
    if (error instanceof AppError && error.code === "not_found") return undefined;
    throw error;
  });

const missing = (message: string) => new AppError("not_found", message);

const shortened = (text: string) => (text.length > 200 ? `${text.slice(0, 200)}…` : text);
