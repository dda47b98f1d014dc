import type { Cost } from "../media/budget.js";
import { type DecodeLimits, decodedBytes } from "../media/decoded-bytes.js";
import { isUrl, type MediaField } from "../media/read-media.js";

/** A file behind a URL, whose size nobody knows yet. */
const unknownFile: Cost = { inputs: 1, sentBytes: 4 * 2 ** 20, decodedBytes: 64 * 2 ** 20 };

/** What a picture or sound of a request will take, told from its header. */
export function costOfMedia(
  field: MediaField,
  modality: "image" | "audio",
  limits: DecodeLimits,
): Cost {
  if (typeof field === "string" && isUrl(field)) return unknownFile;
  const bytes = typeof field === "string" ? headOf(field.slice(field.indexOf(",") + 1)) : field;
  return {
    inputs: 1,
    sentBytes: bytes.length,
    decodedBytes: decodedBytes(bytes, modality, limits),
  };
}

/** Characters of base64 that are decoded in one go: they hold the headers of nearly every file. */
const headLength = 2 ** 20;

/**
 * The beginning of a file, at its whole length: what a large one takes is told by its header and
 * its length, and decoding 64 MiB would hold the main thread.
 */
function headOf(base64: string): Uint8Array {
  const head = Buffer.from(base64.slice(0, headLength), "base64");
  if (base64.length <= headLength) return head;
  const bytes = new Uint8Array(Math.floor((base64.length * 3) / 4)); // zeros take no memory
  bytes.set(head);
  return bytes;
}
