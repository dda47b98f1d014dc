import { oggPageOf } from "./ogg.js";

/**
 * Files of a few kilobytes that are hours of sound, or minutes of work: written by hand from the
 * formats' specifications.
 */

const crc = (bits: number, polynomial: number) => (bytes: readonly number[]) => {
  let sum = 0;
  for (const byte of bytes) {
    sum ^= byte << (bits - 8);
    for (let i = 0; i < 8; i++)
      sum = ((sum << 1) ^ (sum & (1 << (bits - 1)) ? polynomial : 0)) & (2 ** bits - 1);
  }
  return sum;
};
const crc8 = crc(8, 0x07);
const crc16 = crc(16, 0x8005);

/** Silence in FLAC: 15 bytes for 65,535 samples. Source: RFC 9639. */
export function silentFlac(seconds: number, rateHz: number): Buffer {
  const block = 65_535;
  const frames = Math.ceil((seconds * rateHz) / block);
  const info = Buffer.alloc(34);
  info.writeUInt16BE(block, 0);
  info.writeUInt16BE(block, 2);
  info.writeBigUInt64BE((BigInt(rateHz) << 44n) | (15n << 36n) | BigInt(frames * block), 10);
  const bytes = [Buffer.from([...Buffer.from("fLaC"), 0x80, 0, 0, 34]), info];
  // Behind the header in Hz or in tens of Hz; 16 bits, mono
  const [code, rate] = rateHz > 65_535 ? [0xe, rateHz / 10] : [0xd, rateHz];
  for (let number = 0; number < frames; number++) {
    const head = [0xff, 0xf8, 0x70 | code, 0x08, ...Buffer.from(String.fromCodePoint(number))];
    head.push((block - 1) >> 8, (block - 1) & 255, rate >> 8, rate & 255);
    const frame = [...head, crc8(head), 0, 0, 0];
    const sum = crc16(frame);
    bytes.push(Buffer.from([...frame, sum >> 8, sum & 255]));
  }
  return Buffer.concat(bytes);
}

/**
 * Layer III frames with nothing in them, mono: 72 bytes for 576 samples at 8 kHz, or in free format
 * 24 bytes for 1,152 samples at 48 kHz. Source: ISO/IEC 11172-3.
 */
export function silentMp3(size: number, { freeFormat = false } = {}): Buffer {
  const frame = Buffer.alloc(freeFormat ? 24 : 72);
  frame.set(freeFormat ? [0xff, 0xfb, 0x04, 0xc0] : [0xff, 0xe3, 0x18, 0xc0]);
  return Buffer.concat(Array.from({ length: Math.floor(size / frame.length) }, () => frame));
}

/**
 * Opus packets of 120 ms, each of 48 frames without content: two bytes, or 3 for each channel.
 * Sources: RFC 6716, section 3.2.5 and appendix B; RFC 7845, section 5.
 */
export function silentOpus(packets: number, channels = 1): Buffer {
  const isMapped = channels > 2;
  const head = Buffer.concat([
    Buffer.from("OpusHead\x01", "latin1"),
    Buffer.from([channels, 0, 0, 0x80, 0xbb, 0, 0, 0, 0, isMapped ? 255 : 0]),
    Buffer.from(isMapped ? [channels, 0, ...Array(channels).keys()] : []),
  ]);
  const tags = Buffer.concat([Buffer.from("OpusTags", "latin1"), Buffer.alloc(8)]);
  const frames = [0xe3, 48]; // 2.5 ms each, all of one length
  const streams = isMapped ? channels : 1;
  const packet = Buffer.from([
    ...Array(streams - 1)
      .fill([...frames, 0])
      .flat(),
    ...frames,
  ]);
  const pages = [
    oggPageOf([head], { serial: 1, sequence: 0, flags: 2, granule: 0 }),
    oggPageOf([tags], { serial: 1, sequence: 1, flags: 0, granule: 0 }),
  ];
  const perPage = Math.floor(255 / (Math.floor(packet.length / 255) + 1));
  for (let at = 0; at < packets; at += perPage) {
    const count = Math.min(perPage, packets - at);
    const [flags, granule] = [at + count < packets ? 0 : 4, 5760 * (at + count)];
    const page = { serial: 1, sequence: pages.length, flags, granule };
    pages.push(oggPageOf(Array<Buffer>(count).fill(packet), page));
  }
  return Buffer.concat(pages);
}

/**
 * A grey progressive JPEG of side x side pixels with 883 scans, all of them right: the first bits
 * of all blocks, then each of the 63 coefficients bit by bit. Nothing but zeros follows the
 * headers. Source: ITU T.81, annex G.
 */
export function progressiveJpeg(side: number): Buffer {
  const segment = (marker: number, body: readonly number[]) =>
    Buffer.from([0xff, marker, (body.length + 2) >> 8, (body.length + 2) & 255, ...body]);
  /** A code of one bit, 0, for one symbol. */
  const huffman = (kind: number, symbol: number) =>
    segment(0xc4, [kind, 1, ...Array<number>(15).fill(0), symbol]);
  const blocks = Math.ceil(side / 8) ** 2;
  const scan = (first: number, last: number, approximation: number, bits: number) =>
    Buffer.concat([
      segment(0xda, [1, 1, 0x00, first, last, approximation]),
      Buffer.alloc(Math.ceil(bits / 8)),
    ]);
  const size = [side >> 8, side & 255];
  const parts = [
    Buffer.from([0xff, 0xd8]),
    segment(0xdb, [0, ...Array<number>(64).fill(1)]),
    segment(0xc2, [8, ...size, ...size, 1, 1, 0x11, 0]),
    huffman(0x00, 0), // no difference
    huffman(0x10, 0xe0), // nothing for 16,384 blocks, and as many as 14 bits say
    scan(0, 0, 0, blocks),
  ];
  for (let coefficient = 1; coefficient < 64; coefficient++)
    for (let bit = 13; bit >= 0; bit--)
      parts.push(
        scan(
          coefficient,
          coefficient,
          ((bit === 13 ? 0 : bit + 1) << 4) | bit,
          15 * Math.ceil(blocks / 2 ** 14),
        ),
      );
  parts.push(Buffer.from([0xff, 0xd9]));
  return Buffer.concat(parts);
}
