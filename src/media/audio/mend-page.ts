import { crcTable32, oggCrc } from "./crc.js";

/** Bytes of the checksum in a page, which itself counts as zeros. */
const sumStart = 22;
const sumEnd = 26;
const shortest = 27;
const longest = 27 + 255 + 255 * 255;

/** The byte for each last byte of a remainder: they are all different. */
const byteOfLast = new Uint8Array(256);
for (const [byte, remainder] of crcTable32.entries()) byteOfLast[remainder & 255] = byte;

/**
 * Repairs an Ogg page with one wrong byte, which the checksum identifies. With more damage, one in
 * 250 of the longest pages is mistaken for such a page.
 *
 * The checksum is linear: the difference between the stored and the computed one is the remainder
 * of the wrong byte's difference followed by as many zeros as there are bytes after it. It is
 * traced back, byte by byte, until it is the remainder of a single byte.
 *
 * @returns a copy; undefined when no single byte explains the checksum.
 */
export function mendPage(page: Uint8Array): Uint8Array | undefined {
  if (page.length < shortest || page.length > longest) return undefined;
  const stored = new DataView(page.buffer, page.byteOffset).getUint32(sumStart, true);
  let difference = (oggCrc(page, 0, page.length) ^ stored) >>> 0;
  // One byte of the checksum itself.
  if ([0, 8, 16, 24].some((shift) => (difference & (255 << shift)) >>> 0 === difference))
    return Uint8Array.from(page);
  for (let at = page.length - 1; at >= 0; at--) {
    const byte = byteOfLast[difference & 255];
    if (crcTable32[byte] === difference && (at < sumStart || at >= sumEnd)) {
      const mended = Uint8Array.from(page);
      mended[at] ^= byte;
      return mended;
    }
    difference = (((difference ^ crcTable32[byte]) >>> 8) | (byte << 24)) >>> 0;
  }
  return undefined;
}
