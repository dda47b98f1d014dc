import { sniffAudio } from "./audio/sniff-audio.js";
import { tagLength, withoutTags } from "./audio/tags.js";

/**
 * Supported kinds of file, detected by content: names and declared types cannot be trusted.
 */
export type ImageFormat = "jpeg" | "png" | "webp" | "gif" | "avif" | "heic" | "tiff";
export type MediaFormat = ImageFormat | "sound";

/** Enough bytes to detect the format of a file. */
export const sniffBytes = 1 << 16;

/** The format of a file, or undefined when it is not supported. Its beginning is enough. */
export function sniffFormat(bytes: Uint8Array): MediaFormat | undefined {
  const image = sniffImage(bytes);
  if (image !== undefined) return image;
  // A tag may be longer than the beginning that is read.
  const isTagged = tagLength(bytes, 0) > 0;
  return isTagged || sniffAudio(withoutTags(bytes)) !== undefined ? "sound" : undefined;
}

/**
 * Whether a file is a picture or a sound; undefined when it is neither. Its beginning is enough.
 */
export function sniffModality(bytes: Uint8Array): "image" | "audio" | undefined {
  const format = sniffFormat(bytes.subarray(0, sniffBytes));
  if (format === undefined) return undefined;
  return format === "sound" ? "audio" : "image";
}

/** The format of a picture by its first bytes. */
function sniffImage(bytes: Uint8Array): ImageFormat | undefined {
  const text = (from: number, to: number) => String.fromCharCode(...bytes.subarray(from, to));
  const head = text(0, 4);
  if (bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff) return "jpeg";
  if (head === "\x89PNG") return "png";
  if (head === "GIF8") return "gif";
  if (head === "RIFF" && text(8, 12) === "WEBP") return "webp";
  if (["II*\0", "MM\0*", "II+\0", "MM\0+"].includes(head)) return "tiff"; // + is BigTIFF
  if (text(4, 8) !== "ftyp") return undefined;
  const brands = text(8, 32);
  if (/avif|avis/.test(brands)) return "avif";
  // The same container as MP4: it could be mistaken for a sound.
  return /^(hei[cxms]|hev[cx]|mif1|msf1)/.test(brands) ? "heic" : undefined;
}
