/** FLAC files whose samples stand in them as they are (RFC 9639, section 9.2.2: verbatim). */

function crc(bytes: Uint8Array, bits: 8 | 16, polynomial: number): number {
  let rest = 0;
  for (const byte of bytes) {
    rest ^= byte << (bits - 8);
    for (let i = 0; i < 8; i++)
      rest = ((rest >> (bits - 1)) & 1 ? (rest << 1) ^ polynomial : rest << 1) & (2 ** bits - 1);
  }
  return rest;
}

export interface FlacOptions {
  bits: 8 | 16 | 24 | 32;
  rate: number;
  /** Samples of the frames; the last one takes what is left. */
  block: number;
  /** What STREAMINFO says, where it is something else. */
  claimed?: { block?: number; bits?: number };
  /** Whether frames leave their bits and rate to STREAMINFO. */
  leavesOut?: boolean;
  /** Of the first frame. */
  number?: number;
}

/** A file of one channel. */
export function flacFile(samples: readonly number[], options: FlacOptions): Buffer {
  const { bits, rate, block, claimed = {}, leavesOut = false } = options;
  const info = Buffer.alloc(34);
  info.writeUInt16BE(claimed.block ?? block, 0);
  info.writeUInt16BE(claimed.block ?? block, 2);
  const depth = BigInt((claimed.bits ?? bits) - 1);
  info.writeBigUInt64BE((BigInt(rate) << 44n) | (depth << 36n) | BigInt(samples.length), 10);
  const parts = [Buffer.from("fLaC"), Buffer.from([0x80, 0, 0, 34]), info];
  for (let at = 0, { number = 0 } = options; at < samples.length; at += block, number++) {
    const piece = samples.slice(at, at + block);
    const rateCode = leavesOut ? 0 : 13; // 13: 16 bits of Hz behind the size
    const bitCode = leavesOut ? 0 : { 8: 1, 16: 4, 24: 6, 32: 7 }[bits];
    const head = [0xff, 0xf8, 0x70 | rateCode, bitCode << 1, number];
    head.push((piece.length - 1) >> 8, (piece.length - 1) & 255);
    if (!leavesOut) head.push(rate >> 8, rate & 255);
    const header = Buffer.from([...head, crc(Buffer.from(head), 8, 0x07)]);
    const body = Buffer.alloc(1 + (piece.length * bits) / 8);
    body[0] = 2; // a verbatim subframe
    for (const [i, sample] of piece.entries())
      body.writeIntBE(sample, 1 + (i * bits) / 8, bits / 8);
    const frame = Buffer.concat([header, body]);
    const sum = Buffer.alloc(2);
    sum.writeUInt16BE(crc(frame, 16, 0x8005));
    parts.push(frame, sum);
  }
  return Buffer.concat(parts);
}
