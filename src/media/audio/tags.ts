/**
 * The part of a file without tags and padding: ID3v2 tags (any
 * number), APE tags, zeros and line breaks before; ID3v1, Lyrics3 and APE tags, ID3v2 footers and
 * zeros behind. Sources: id3.org (ID3v2.4 structure), wiki.hydrogenaud.io (APEv2),
 * id3.org/Lyrics3v2.
 *
 * @param maxPadding  zeros and line breaks in a row that are looked through; more are left.
 */
export function withoutTags(bytes: Uint8Array, maxPadding = Number.POSITIVE_INFINITY): Uint8Array {
  let start = 0;
  for (let before = -1; before !== start; ) {
    before = start;
    start = Math.min(bytes.length, start + tagLength(bytes, start));
    if (!startsHere(bytes, start)) start = skipPadding(bytes, start, maxPadding);
  }
  let end = bytes.length;
  for (let before = -1; before !== end && end > start; ) {
    before = end;
    end -= trailingTagLength(bytes, start, end);
  }
  return bytes.subarray(start, end);
}

const textAt = (bytes: Uint8Array, from: number, to: number) =>
  String.fromCharCode(...bytes.subarray(Math.max(0, from), to));

/** Bytes of the tag at a position; 0 if there is none. */
export function tagLength(bytes: Uint8Array, at: number): number {
  if (textAt(bytes, at, at + 3) === "ID3" && at + 10 <= bytes.length) {
    const size = bytes.subarray(at + 6, at + 10);
    const wellFormed = bytes[at + 3] < 0xff && bytes[at + 4] < 0xff && size.every((b) => b < 128);
    if (!wellFormed) return 0;
    const footer = (bytes[at + 5] & 0x10) !== 0 ? 10 : 0;
    return 10 + ((size[0] << 21) | (size[1] << 14) | (size[2] << 7) | size[3]) + footer;
  }
  if (textAt(bytes, at, at + 8) === "APETAGEX" && at + 32 <= bytes.length) {
    const isHeader = (bytes[at + 23] & 0x20) !== 0;
    return 32 + (isHeader ? uint32(bytes, at + 12) : 0);
  }
  // An ID3v1 tag in the middle: files that were joined.
  return textAt(bytes, at, at + 3) === "TAG" && at + 128 <= bytes.length ? 128 : 0;
}

function trailingTagLength(bytes: Uint8Array, start: number, end: number): number {
  const within = (length: number) => (length > 0 && end - length >= start ? length : 0);
  if (textAt(bytes, end - 128, end - 125) === "TAG") {
    const extended = textAt(bytes, end - 355, end - 351) === "TAG+" ? 355 : 128;
    return within(extended);
  }
  if (textAt(bytes, end - 32, end - 24) === "APETAGEX") {
    const hasHeader = (bytes[end - 32 + 23] & 0x80) !== 0;
    return within(uint32(bytes, end - 32 + 12) + (hasHeader ? 32 : 0));
  }
  if (textAt(bytes, end - 9, end) === "LYRICS200") {
    const size = Number.parseInt(textAt(bytes, end - 15, end - 9), 10);
    return Number.isFinite(size) ? within(size + 15) : 0;
  }
  if (textAt(bytes, end - 9, end) === "LYRICSEND") {
    const begin = textAt(bytes, end - 5109, end).indexOf("LYRICSBEGIN");
    return begin < 0 ? 0 : within(Math.min(5109, end) - begin);
  }
  if (textAt(bytes, end - 10, end - 7) === "3DI") {
    const size = bytes.subarray(end - 4, end);
    return within(20 + ((size[0] << 21) | (size[1] << 14) | (size[2] << 7) | size[3]));
  }
  return 0;
}

/** Zeros and white space between tags and sound. */
function skipPadding(bytes: Uint8Array, start: number, maxPadding: number): number {
  const stop = Math.min(bytes.length, start + maxPadding);
  let at = start;
  while (at < stop && padding.has(bytes[at])) at++;
  if (at === stop) return start; // nothing follows, or too late
  // An MP4 file begins with the size of its first box, whose first bytes are zeros; so do raw
  // samples.
  return at;
}
const padding = new Set([0, 9, 10, 13, 32]);

/** Formats whose first bytes may be zeros: boxes of MP4, and MPEG program streams. */
function startsHere(bytes: Uint8Array, at: number): boolean {
  if (/^(ftyp|moov|mdat|free|wide|skip|pnot)$/.test(textAt(bytes, at + 4, at + 8))) return true;
  return bytes[at] === 0 && bytes[at + 1] === 0 && bytes[at + 2] === 1 && bytes[at + 3] === 0xba;
}

function uint32(bytes: Uint8Array, at: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(at, true);
}
