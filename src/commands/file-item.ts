import { createHash } from "node:crypto";
import { extname, resolve } from "node:path";
import { LeadsOutside, type OpenRegularOptions, openRegular } from "../files/open-regular.js";
import { readRegularFile, readUpTo } from "../files/read-regular.js";
import { sniffBytes, sniffModality } from "../media/sniff.js";
import type { MediaModality } from "./media-input.js";
import { isObject } from "./options.js";
import { unsupportedMedia, whyNoMedia } from "./unsupported-media.js";
import { type FoundFile, fileError, whyNotOutside } from "./walk-files.js";

/** A file as an item of a collection. */
export interface FileItem {
  modality: MediaModality;
  bytes: Uint8Array;
  /** Undefined when not given: then an existing item keeps its own. */
  metadata: Record<string, unknown> | undefined;
  /** Absolute path. */
  source: string;
  /** The sha256 of the bytes. */
  contentHash: string;
}

/** A file in a folder that is skipped, and why: for the summary. */
export interface LeftOut {
  /** In the plural: `sounds`, `folders`, `other files`. */
  what: string;
  why?: string;
}

export interface FileItemOptions {
  /** For every file. */
  metadata: Record<string, unknown> | undefined;
  /** More, of single files, by their absolute paths. */
  metadataOf?: (path: string) => Record<string, unknown> | undefined;
  /** Whether a `NAME.json` beside a file gives more metadata. */
  sidecars: boolean;
  /** Modalities taken from folders; undefined takes every picture and sound. */
  modalities: readonly string[] | undefined;
  /** Why the others are left out. */
  whyNotOthers?: string;
  /** Larger files are refused before they are read. */
  maxBytes: number;
}

/** A file that should be added but cannot be; the message is the reason. */
export class BadFile extends Error {
  override name = "BadFile";
}

/** The server takes less metadata of an item. */
const maxSidecarBytes = 2 ** 24;

/**
 * File extensions of pictures and sounds. A file with one that is neither is a bad file; other
 * files are skipped.
 */
const mediaNames =
  /^\.(jpe?g|png|webp|gif|avif|tiff?|heic|heif|wav|w64|flac|mp3|ogg|oga|opus|m4a|mp4|aac|webm|aif[fc]?|au|snd|caf|wma|amr|ape|wv)$/;

/**
 * Reads a file into an item, or gives the reason why a file of a folder is skipped: neither picture
 * nor sound, or of another modality.
 * @throws BadFile
 */
export async function readFileItem(
  file: FoundFile,
  options: FileItemOptions,
): Promise<FileItem | LeftOut> {
  if (file.skipped === "folder") return { what: "folders", why: "--recursive looks into them" };
  if (file.skipped === "outside") return { what: "outside links", why: whyNotOutside };
  if (file.skipped === "link") return { what: "links", why: "to files that are found themselves" };
  if (file.error !== undefined) throw new BadFile(file.error);
  const { path, within } = file;
  try {
    const modality = sniffModality(await readHead(path, { within }));
    if (modality === undefined) {
      const ending = extname(path).toLowerCase();
      const what = unsupportedMedia[ending];
      if (!file.named && what !== undefined) return { what, why: "not supported" };
      if (!file.named && !mediaNames.test(ending)) return { what: "other files" };
      throw new BadFile(whyNoMedia(file.size, ending));
    }
    if (!file.named && options.modalities?.includes(modality) === false) {
      const what = modality === "audio" ? "sounds" : "pictures";
      return { what, why: options.whyNotOthers };
    }
    if (file.size > options.maxBytes) {
      throw new BadFile(
        `${file.size} bytes are too many; raise --max-body-bytes, here and at the server`,
      );
    }
    const bytes = await readRegularFile(path, options.maxBytes, { within });
    const parts = [
      options.metadata,
      options.metadataOf?.(resolve(path)),
      options.sidecars ? await readSidecar(path, { within }) : undefined,
    ].filter((part) => part !== undefined);
    const metadata = parts.length === 0 ? undefined : Object.assign({}, ...parts);
    return {
      modality,
      bytes,
      metadata,
      source: resolve(path),
      contentHash: createHash("sha256").update(bytes).digest("hex"),
    };
  } catch (error) {
    if (error instanceof BadFile) throw error;
    throw new BadFile(fileError(error as Error));
  }
}

/** Enough of a file to tell what it is. */
export async function readHead(path: string, options: OpenRegularOptions): Promise<Uint8Array> {
  const file = await openRegular(path, options);
  try {
    return await readUpTo(file, sniffBytes);
  } finally {
    await file.close();
  }
}

/** The metadata in `cat.jpg.json` or, without it, `cat.json`. */
async function readSidecar(
  path: string,
  options: OpenRegularOptions,
): Promise<Record<string, unknown> | undefined> {
  for (const name of [
    `${path}.json`,
    `${path.slice(0, path.length - extname(path).length)}.json`,
  ]) {
    const bytes = await readRegularFile(name, maxSidecarBytes, options).catch(
      (error: NodeJS.ErrnoException) => {
        if (error.code === "ENOENT") return undefined;
        const why = error instanceof LeadsOutside ? ` (${whyNotOutside})` : "";
        throw new BadFile(`${name}: ${fileError(error)}${why}`);
      },
    );
    if (bytes === undefined) continue;
    try {
      const metadata: unknown = JSON.parse(bytes.toString("utf8"));
      if (isObject(metadata)) return metadata;
    } catch {
      // told below
    }
    throw new BadFile(`${name} does not hold a JSON object`);
  }
  return undefined;
}
