/** Remainders of a byte for a polynomial of `bits` bits, most significant bit first. */
function table(bits: 8 | 16 | 32, polynomial: number): Uint32Array {
  const top = 2 ** (bits - 1);
  return Uint32Array.from({ length: 256 }, (_, byte) => {
    let rest = (byte << (bits - 8)) >>> 0;
    for (let i = 0; i < 8; i++) rest = (rest >>> 0) & top ? (rest << 1) ^ polynomial : rest << 1;
    return bits === 32 ? rest >>> 0 : (rest & (2 ** bits - 1)) >>> 0;
  });
}

const table8 = table(8, 0x07);
/** Of FLAC's frames and of MPEG audio. */
export const table16 = table(16, 0x8005);
/** Of Ogg's pages. */
export const crcTable32 = table(32, 0x04c11db7);

/** Of FLAC's frame headers. Source: RFC 9639, section 9.1.8. */
export function crc8(bytes: Uint8Array, from: number, to: number): number {
  let crc = 0;
  for (let i = from; i < to; i++) crc = table8[crc ^ bytes[i]];
  return crc;
}

/** Of FLAC's frames. Source: RFC 9639, section 9.3. */
export function crc16(bytes: Uint8Array, from: number, to: number): number {
  let crc = 0;
  for (let i = from; i < to; i++) crc = ((crc << 8) & 0xffff) ^ table16[(crc >> 8) ^ bytes[i]];
  return crc;
}

/**
 * Of MPEG audio: the header's last two bytes and the side information. Source: ISO 11172-3, section
 * 2.4.3.1.
 */
export function mpegCrc(bytes: Uint8Array, ranges: readonly [from: number, to: number][]): number {
  let crc = 0xffff;
  for (const [from, to] of ranges)
    for (let i = from; i < to; i++) crc = ((crc << 8) & 0xffff) ^ table16[(crc >> 8) ^ bytes[i]];
  return crc;
}

/**
 * Of an Ogg page whose own field [from + 22, from + 26) counts as zeros. Source: RFC 3533, section
 * 6.
 */
export function oggCrc(bytes: Uint8Array, from: number, to: number): number {
  let crc = 0;
  for (let i = from; i < to; i++) {
    const byte = i >= from + 22 && i < from + 26 ? 0 : bytes[i];
    crc = (crc << 8) ^ crcTable32[((crc >>> 24) ^ byte) & 255];
  }
  return crc >>> 0;
}
