import { z } from "zod";
import { invalidInput } from "../../errors.js";
import type { Content } from "../../inference/content.js";
import { isUrl } from "../../media/read-media.js";
import { dataUriKind } from "../../media/text-kind.js";
import { optional } from "../../wire/field-types.js";
import type { MediaMaker } from "../media-content.js";

/** A part of a message as OpenAI, Cohere and Voyage write it. */
export const Part = z.union([
  z.strictObject({ type: z.literal("text"), text: z.string().min(1) }),
  z.strictObject({
    type: z.literal("image_url"),
    image_url: z.union([
      z.string().min(1),
      z.strictObject({ url: z.string().min(1), detail: optional(z.string()) }),
    ]),
  }),
  z.strictObject({ type: z.literal("image_base64"), image_base64: z.string().min(1) }),
  z.strictObject({
    type: z.literal("input_audio"),
    input_audio: z.strictObject({ data: z.string().min(1), format: optional(z.string()) }),
  }),
  z.strictObject({
    type: z.literal("audio_url"),
    audio_url: z.union([z.string().min(1), z.strictObject({ url: z.string().min(1) })]),
  }),
  z.strictObject({
    type: z.enum(["video_url", "video_base64"]),
    video_url: z.unknown().optional(),
    video_base64: z.unknown().optional(),
  }),
]);
export type Part = z.infer<typeof Part>;

/** @throws AppError `invalid_input` for a video. */
export function contentOfPart(part: Part, mediaOf: MediaMaker, param: string): Content {
  const urlOf = (value: string | { url: string }) =>
    typeof value === "string" ? value : value.url;
  switch (part.type) {
    case "text":
      return { modality: "text", text: part.text };
    case "image_url":
      return mediaOf(urlOf(part.image_url), "image", `${param}.image_url`);
    case "image_base64":
      return mediaOf(part.image_base64, "image", `${param}.image_base64`);
    case "input_audio":
      return mediaOf(part.input_audio.data, "audio", `${param}.input_audio`);
    case "audio_url":
      return mediaOf(urlOf(part.audio_url), "audio", `${param}.audio_url`);
    default:
      throw invalidInput(
        `${param}.type`,
        "Videos are not embedded here; send a frame or the sound",
      );
  }
}

/** A text, or a data URI of a picture or sound. */
export function contentOfText(text: string, mediaOf: MediaMaker, param: string): Content {
  const kind = dataUriKind(text);
  return kind === undefined ? { modality: "text", text } : mediaOf(text, kind, param);
}

/**
 * A picture or sound by URL or data URI only: bare base64 there is most likely a text.
 */
export function checkUri(text: string, param: string): string {
  if (isUrl(text) || /^data:/i.test(text)) return text;
  const message =
    `Expected a data URI or an http(s) URL in "${param}" ` + `but received "${text.slice(0, 40)}"`;
  throw invalidInput(param, message);
}
