import { z } from "zod";
import { invalidInput } from "../../errors.js";
import type { Content } from "../../inference/content.js";
import { isUrl } from "../../media/read-media.js";
import { listOf, optional } from "../../wire/field-types.js";
import type { MediaMaker } from "../media-content.js";
import { contentOfText } from "./parts.js";
import { sniffMedia } from "./sniff-content.js";

/** Of a document; ignored. */
const id = optional(z.string());

export const Input = z.union([
  z.string().min(1),
  z.strictObject({ id, text: z.string().min(1) }),
  z.strictObject({ id, image: z.string().min(1) }),
  z.strictObject({ id, audio: z.string().min(1) }),
  z.strictObject({ id, url: z.string().min(1) }),
  z.strictObject({ id, bytes: z.string().min(1) }),
]);
export type Input = z.infer<typeof Input>;
export const Inputs = z.union([Input, listOf(Input, { min: 1, max: 100_000 })]);

/** A URL or base64 alone is a picture where the field says so, and a text as a string. */
export function contentOf(input: Input, mediaOf: MediaMaker, param: string): Content {
  if (typeof input === "string") return contentOfText(input, mediaOf, param);
  if ("text" in input) return { modality: "text", text: input.text };
  if ("image" in input) return mediaOf(input.image, "image", `${param}.image`);
  if ("audio" in input) return mediaOf(input.audio, "audio", `${param}.audio`);
  const [name, field] = "url" in input ? ["url", input.url] : ["bytes", input.bytes];
  if (isUrl(field)) return mediaOf(field, "image", `${param}.${name}`);
  const media = sniffMedia(field, mediaOf, `${param}.${name}`);
  if (media !== undefined) return media;
  throw invalidInput(`${param}.${name}`, `Expected the base64 of a picture or sound, or a URL`);
}
