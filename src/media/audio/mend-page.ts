import { crcTable32, oggCrc } from "./crc.js";

/** Bytes of the checksum in a page, which itself counts as zeros. */
const sumStart = 22;
const sumEnd = 26;
const shortest = 27;
const longest = 27 + 255 + 255 * 255;

/** The byte whose remainder ends in a certain byte: each is the last of one. */
const byteOfLast = new Uint8Array(256);
for (const [byte, remainder] of crcTable32.entries()) byteOfLast[remainder & 255] = byte;

/**
 * An Ogg page in which one byte is wrong, as it was: the checksum tells which one and how. Where
 * the damage is larger, one page in 250 of the longest is taken for such a one.
 *
 * The checksum is linear: the difference between the one that stands there and the one of the bytes
 * that stand there is the remainder of the wrong byte's difference, followed by as many zeros as
 * bytes follow it. It is followed backwards, byte by byte, until it is the remainder of one byte.
 *
 * @returns a copy; undefined where no single byte explains the checksum.
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
