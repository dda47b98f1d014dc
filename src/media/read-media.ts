import { invalidInput } from "../errors.js";
import { turnClock } from "../json/next-turn.js";

/** Fetches media by URL, or says why not (see fetch-media.ts). */
export type FetchMedia = (url: string, signal: AbortSignal) => Promise<Uint8Array>;

/** Media as it comes in a request: uploaded bytes, or a string with base64, a data URI or a URL. */
export type MediaField = string | Uint8Array;

/**
 * The bytes of one picture or sound.
 * @param param  the field's name, for error messages.
 * @throws AppError `invalid_input` when it is empty or not base64; errors of `fetchMedia` for a
 *   URL.
 */
export async function readMedia(
  field: MediaField,
  param: string,
  fetchMedia: FetchMedia,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const bytes =
    typeof field === "string" ? await fromText(field, param, fetchMedia, signal) : field;
  if (bytes.length === 0) throw invalidInput(param, `"${param}" is empty`);
  return bytes;
}

/** Whether a text is the URL of media. */
export const isUrl = (text: string): boolean => /^https?:\/\//i.test(text);

async function fromText(
  text: string,
  param: string,
  fetchMedia: FetchMedia,
  signal: AbortSignal,
): Promise<Uint8Array> {
  if (isUrl(text)) return fetchMedia(text, signal);
  if (!/^data:/i.test(text)) return fromBase64(text, 0, param);
  const comma = text.indexOf(",");
  if (comma < 0 || !/;\s*base64\s*$/i.test(text.slice(0, Math.min(comma, 1000)))) {
    const shown = text.slice(0, 40);
    throw invalidInput(
      param,
      `Expected a data URI with base64 in "${param}" but received "${shown}…"`,
    );
  }
  return fromBase64(text, comma + 1, param);
}

/**
 * The same as `replace(/\s+/g, "")`, which takes 10 ms for 256 KiB in which every other character
 * is a space. A text that is not ASCII, and so not base64, stays unchanged.
 */
function withoutSpaces(text: string): string {
  if (!/[\t\n\v\f\r ]/.test(text) || /[^\0-\x7f]/.test(text)) return text;
  const bytes = Buffer.from(text, "latin1");
  let length = 0;
  for (const byte of bytes) if (byte > 0x20) bytes[length++] = byte;
  return bytes.toString("latin1", 0, length);
}

/** Characters decoded at once: less than a millisecond. */
const pieceLength = 2 ** 18;

/**
 * Buffer.from silently skips what is not base64; a file name or a truncated text must be an error
 * instead. Text that is base64 and nothing else is told by the number of bytes that it gives, since
 * whatever is skipped gives none: looking at every character takes forty times as long as decoding.
 */
async function fromBase64(text: string, start: number, param: string): Promise<Uint8Array> {
  const clock = turnClock();
  const bytes = Buffer.allocUnsafe(Math.ceil(((text.length - start) * 3) / 4));
  let size = 0;
  for (let from = start; from < text.length; from += pieceLength) {
    const piece = text.slice(from, from + pieceLength);
    const expected = bytesIn(piece, from + pieceLength >= text.length);
    // A character of two bytes would be taken for the one that its lower byte is.
    const isAscii = Buffer.byteLength(piece) === piece.length;
    if (!isAscii || bytes.write(piece, size, "base64") !== expected)
      return fromSpacedBase64(text, start, param);
    size += expected;
    if (clock.isUp()) await clock.next();
  }
  return bytes.subarray(0, size);
}

/** Bytes of a piece of plain base64; undefined for a number of characters that has none. */
function bytesIn(piece: string, isLast: boolean): number | undefined {
  const padding = isLast ? (/={0,2}$/.exec(piece.slice(-2))?.[0].length ?? 0) : 0;
  const characters = piece.length - padding;
  return characters % 4 === 1 ? undefined : Math.floor((characters * 3) / 4);
}

/** Base64 with white space in it. @throws AppError `invalid_input` for anything else. */
async function fromSpacedBase64(text: string, start: number, param: string): Promise<Uint8Array> {
  const wrong = () => {
    const shown = text.slice(start, start + 40);
    const expected = "base64, a data URI or an http(s) URL";
    return invalidInput(param, `Expected ${expected} in "${param}" but received "${shown}"`);
  };
  const clock = turnClock();
  const bytes = Buffer.allocUnsafe(Math.ceil(((text.length - start) * 3) / 4));
  let size = 0;
  let rest = "";
  let ended = false;
  for (let from = start; from < text.length; from += pieceLength) {
    const piece = rest + withoutSpaces(text.slice(from, from + pieceLength));
    // Only the last piece may have padding, and only whole groups of four characters are decoded
    // before it.
    const isLast = from + pieceLength >= text.length;
    const groups = isLast ? piece.length : piece.length - (piece.length % 4);
    const wholeGroups = piece.slice(0, groups);
    rest = piece.slice(groups);
    if (ended ? wholeGroups !== "" : !/^[A-Za-z0-9+/_-]*={0,2}$/.test(wholeGroups)) throw wrong();
    ended ||= wholeGroups.endsWith("=");
    if (isLast && wholeGroups.replace(/=+$/, "").length % 4 === 1) throw wrong();
    size += bytes.write(wholeGroups, size, "base64");
    if (clock.isUp()) await clock.next();
  }
  return bytes.subarray(0, size);
}
