import { AppError } from "../errors.js";

/** Fetches media by URL, or says why not (see fetch-media.ts). */
export type FetchMedia = (url: string, signal: AbortSignal) => Promise<Uint8Array>;

/** Media as it comes in a request: uploaded bytes, or a string with base64, a data URI or a URL. */
export type MediaField = string | Uint8Array;

/**
 * The bytes of one picture or sound.
 * @param param  the field's name, for error messages.
 * @throws AppError `invalid_input` when it is empty or no base64; what `fetchMedia` throws for a URL.
 */
export async function readMedia(
  field: MediaField,
  param: string,
  fetchMedia: FetchMedia,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const bytes =
    typeof field === "string" ? await fromText(field, param, fetchMedia, signal) : field;
  if (bytes.length === 0) throw new AppError("invalid_input", `"${param}" is empty`, { param });
  return bytes;
}

/** Whether a text stands for media elsewhere. */
export const isUrl = (text: string): boolean => /^https?:\/\//i.test(text);

function fromText(text: string, param: string, fetchMedia: FetchMedia, signal: AbortSignal) {
  if (isUrl(text)) return fetchMedia(text, signal);
  if (!text.startsWith("data:")) return fromBase64(text, param);
  const comma = text.indexOf(",");
  if (comma < 0 || !text.slice(0, comma).endsWith(";base64")) {
    const message = `Expected a data URI with base64 in "${param}" but received "${text.slice(0, 40)}…"`;
    throw new AppError("invalid_input", message, { param });
  }
  return fromBase64(text.slice(comma + 1), param);
}

function fromBase64(text: string, param: string): Uint8Array {
  // Buffer.from skips what is not base64 in silence; a file name or a truncated text must be an error instead.
  const compact = /\s/.test(text) ? text.replace(/\s+/g, "") : text;
  if (!/^[A-Za-z0-9+/_-]*={0,2}$/.test(compact) || compact.replace(/=+$/, "").length % 4 === 1) {
    const message = `Expected base64, a data URI or an http(s) URL in "${param}" but received "${text.slice(0, 40)}"`;
    throw new AppError("invalid_input", message, { param });
  }
  return Buffer.from(compact, "base64");
}
