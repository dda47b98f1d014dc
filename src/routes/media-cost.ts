import type { Cost } from "../media/budget.js";
import { type DecodeLimits, decodedBytes } from "../media/decoded-bytes.js";
import { isUrl, type MediaField } from "../media/read-media.js";

/** Assumed size of a file behind a URL. */
const unknownFile: Cost = { inputs: 1, sentBytes: 4 * 2 ** 20, decodedBytes: 64 * 2 ** 20 };

/** The cost of a request's picture or sound, from its header. */
export function costOfMedia(
  field: MediaField,
  modality: "image" | "audio",
  limits: DecodeLimits,
): Cost {
  if (typeof field === "string" && isUrl(field)) return unknownFile;
  const { head, length } = typeof field === "string" ? headOf(field) : wholeOf(field);
  return {
    inputs: 1,
    sentBytes: length,
    decodedBytes: decodedBytes(head, modality, limits, length),
  };
}

/** Characters of base64 decoded at once: they cover the headers of nearly every file. */
const headLength = 2 ** 20;

/**
 * The beginning of a file and its length, which tell what it takes: decoding 64 MiB would hold the
 * main thread.
 */
function headOf(text: string): { head: Uint8Array; length: number } {
  const start = text.slice(0, maxUriHead).indexOf(",") + 1;
  const head = Buffer.from(text.slice(start, start + headLength), "base64");
  const characters = text.length - start;
  if (characters <= headLength) return wholeOf(head);
  return { head, length: Math.floor((characters * 3) / 4) };
}

/** Where a data URI has its comma. */
const maxUriHead = 1000;

const wholeOf = (file: Uint8Array) => ({ head: file, length: file.length });
