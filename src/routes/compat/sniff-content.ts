import type { Content, MediaContent } from "../../inference/content.js";
import { sniffBytes, sniffModality } from "../../media/sniff.js";
import type { MediaMaker } from "../media-content.js";
import { contentOfText } from "./parts.js";

/** Of the base64 of a file; a text that happens to be base64 does not start like a file. */
export function base64Kind(text: string): "image" | "audio" | undefined {
  if (!/^[A-Za-z0-9+/_-]{16,}/.test(text)) return undefined;
  return sniffModality(Buffer.from(text.slice(0, Math.ceil((sniffBytes * 4) / 3)), "base64"));
}

/** A data URI, the base64 of a picture or sound, or else a text. */
export function sniffContent(text: string, mediaOf: MediaMaker, param: string): Content {
  const kind = base64Kind(text);
  return kind === undefined ? contentOfText(text, mediaOf, param) : mediaOf(text, kind, param);
}

export function sniffMedia(
  field: string | Uint8Array,
  mediaOf: MediaMaker,
  param: string,
): MediaContent | undefined {
  if (typeof field !== "string") {
    const kind = sniffModality(field);
    return kind && mediaOf(field, kind, param);
  }
  const content = sniffContent(field, mediaOf, param);
  return content.modality === "text" ? undefined : content;
}
