import type { Content, MediaContent } from "../../inference/content.js";
import { sniffModality } from "../../media/sniff.js";
import { base64Kind } from "../../media/text-kind.js";
import type { MediaMaker } from "../media-content.js";
import { contentOfText } from "./parts.js";

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
