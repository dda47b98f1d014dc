import type { Cost } from "../media/budget.js";
import { type DecodeLimits, decodedBytes } from "../media/decoded-bytes.js";
import { isUrl, type MediaField } from "./read-media.js";

/** A file behind a URL, whose size nobody knows yet. */
const unknownFile: Cost = { inputs: 1, sentBytes: 4 * 2 ** 20, decodedBytes: 64 * 2 ** 20 };

/** What a picture or sound of a request will take, told from its header. */
export function costOfMedia(
  field: MediaField,
  modality: "image" | "audio",
  limits: DecodeLimits,
): Cost {
  if (typeof field === "string" && isUrl(field)) return unknownFile;
  const bytes =
    typeof field === "string" ? Buffer.from(field.slice(field.indexOf(",") + 1), "base64") : field;
  return {
    inputs: 1,
    sentBytes: bytes.length,
    decodedBytes: decodedBytes(bytes, modality, limits),
  };
}
