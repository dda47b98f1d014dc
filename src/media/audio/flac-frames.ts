import { crc8, crc16, table16 } from "./crc.js";
import { undecodable } from "./undecodable.js";

/** The STREAMINFO block. Source: RFC 9639, section 8.2. */
export interface StreamInfo {
  minBlock: number;
  maxBlock: number;
  sampleRateHz: number;
  channels: number;
  bits: number;
  /** 0 when it is not known. */
  totalSamples: number;
}

export interface FlacFrame {
  start: number;
  headerEnd: number;
  end: number;
  samples: number;
  sampleRateHz: number;
  bits: number;
  /**
   * In streams with a fixed frame size the number of the frame, otherwise that of its first sample.
   */
  number: number;
  isVariable: boolean;
}

interface FlacHeader extends Omit<FlacFrame, "end"> {
  channels: number;
}

export function readStreamInfo(bytes: Uint8Array, start: number): StreamInfo | undefined {
  if (start + 18 > bytes.length) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset + start, 18);
  const packed = view.getUint32(10);
  const info = {
    minBlock: view.getUint16(0),
    maxBlock: view.getUint16(2),
    sampleRateHz: packed >>> 12,
    channels: ((packed >> 9) & 7) + 1,
    bits: ((packed >> 4) & 31) + 1,
    totalSamples: (packed & 15) * 2 ** 32 + view.getUint32(14),
  };
  return info.sampleRateHz === 0 && info.bits < 4 ? undefined : info;
}

const rates = [
  0, 88_200, 176_400, 192_000, 8000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 96_000,
];
const bitDepths = [0, 8, 12, -1, 16, 20, 24, 32];

/**
 * The bytes of a frame that a decoder reads without STREAMINFO: one that leaves its bits or rate to
 * it gets them, and new checksums. The rate is any, it changes no sample.
 */
export function selfContained(bytes: Uint8Array, frame: FlacFrame): Uint8Array {
  const { start, end, headerEnd, bits } = frame;
  const rateCode = bytes[start + 2] & 15;
  const bitCode = (bytes[start + 3] >> 1) & 7;
  if (rateCode !== 0 && bitCode !== 0) return bytes.subarray(start, end);
  const copy = Uint8Array.from(bytes.subarray(start, end));
  if (rateCode === 0) copy[2] |= rates.indexOf(44_100);
  if (bitCode === 0) copy[3] |= bitDepths.indexOf(bits) << 1;
  const header = headerEnd - start;
  copy[header - 1] = crc8(copy, 0, header - 1);
  new DataView(copy.buffer).setUint16(copy.length - 2, crc16(copy, 0, copy.length - 2));
  return copy;
}

/** The frame header at a place, whose own checksum is right. Source: RFC 9639, section 9.1. */
function flacHeaderAt(bytes: Uint8Array, start: number, info?: StreamInfo): FlacHeader | undefined {
  if (bytes[start] !== 0xff || (bytes[start + 1] & 0xfe) !== 0xf8 || start + 6 > bytes.length)
    return undefined;
  const isVariable = (bytes[start + 1] & 1) === 1;
  const blockCode = bytes[start + 2] >> 4;
  const rateCode = bytes[start + 2] & 15;
  const channelCode = bytes[start + 3] >> 4;
  const bitCode = (bytes[start + 3] >> 1) & 7;
  if (
    blockCode === 0 ||
    rateCode === 15 ||
    channelCode > 10 ||
    bitCode === 3 ||
    bytes[start + 3] & 1
  )
    return undefined;
  let at = start + 4;
  const number = codedNumber(bytes, at);
  if (number === undefined) return undefined;
  at += number.length;
  const take = (count: number) => {
    let value = 0;
    for (let i = 0; i < count; i++) value = value * 256 + (bytes[at++] ?? 0);
    return value;
  };
  const samples =
    blockCode === 1
      ? 192
      : blockCode < 6
        ? 576 << (blockCode - 2)
        : blockCode === 6
          ? take(1) + 1
          : blockCode === 7
            ? take(2) + 1
            : 256 << (blockCode - 8);
  const sampleRateHz =
    rateCode === 0
      ? info?.sampleRateHz
      : rateCode < 12
        ? rates[rateCode]
        : rateCode === 12
          ? take(1) * 1000
          : rateCode === 13
            ? take(2)
            : take(2) * 10;
  const bits = bitCode === 0 ? info?.bits : bitDepths[bitCode];
  if (at >= bytes.length || crc8(bytes, start, at) !== bytes[at]) return undefined;
  if (!sampleRateHz || !bits) return undefined;
  const channels = channelCode < 8 ? channelCode + 1 : 2;
  return {
    start,
    headerEnd: at + 1,
    samples,
    sampleRateHz,
    bits,
    channels,
    number: number.value,
    isVariable,
  };
}

/** A number in UTF-8 coding, with up to 36 bits. */
function codedNumber(bytes: Uint8Array, at: number): { value: number; length: number } | undefined {
  const first = bytes[at];
  if (first < 0x80) return { value: first, length: 1 };
  let length = 0;
  while (length < 8 && first & (0x80 >> length)) length++;
  if (length < 2 || length > 7) return undefined;
  let value = first & (0x7f >> length);
  for (let i = 1; i < length; i++) {
    if ((bytes[at + i] & 0xc0) !== 0x80) return undefined;
    value = value * 64 + (bytes[at + i] & 0x3f);
  }
  return { value, length };
}

export type FlacEvent =
  | { kind: "frame"; frame: FlacFrame }
  /** Bytes of which no frame could be made. */
  | { kind: "damage"; start: number; end: number };

/**
 * The frames of a FLAC stream whose checksums are right. Where a frame ends is known only from
 * where the next one begins or the file ends: the checksum over all its bytes is 0 there.
 */
export function* flacFrames(
  bytes: Uint8Array,
  from: number,
  info?: StreamInfo,
): Generator<FlacEvent> {
  // Damage makes the search read bytes again; an attacker must not make it read all of them for
  // each byte.
  let budget = 16 * bytes.length + 1_000_000;
  let damagedFrom: number | undefined;
  let at = from;
  while (at < bytes.length) {
    const header = flacHeaderAt(bytes, at, info);
    const end = header && frameEnd(bytes, header, info);
    budget -= (end?.scanned ?? 0) + 1;
    if (budget < 0) throw undecodable("The FLAC file is damaged throughout");
    if (header !== undefined && end?.at !== undefined) {
      if (damagedFrom !== undefined) yield { kind: "damage", start: damagedFrom, end: at };
      damagedFrom = undefined;
      const { channels: _, ...frame } = header;
      yield { kind: "frame", frame: { ...frame, end: end.at } };
      at = end.at;
      continue;
    }
    damagedFrom ??= at;
    const next = bytes.indexOf(0xff, at + 1);
    at = next < 0 ? bytes.length : next;
  }
  if (damagedFrom !== undefined) yield { kind: "damage", start: damagedFrom, end: bytes.length };
}

/** Where a frame ends; undefined when its checksum is never right. */
function frameEnd(
  bytes: Uint8Array,
  header: FlacHeader,
  info: StreamInfo | undefined,
): { at: number | undefined; scanned: number } {
  const { start, headerEnd, samples, channels, bits, number, isVariable } = header;
  // Stored uncompressed, with one more bit for a side channel, and a header for each channel.
  const longest = 32 + Math.ceil((samples * channels * (bits + 1)) / 8) + 8 * channels;
  const last = Math.min(bytes.length, start + longest);
  let crc = 0;
  for (let i = start; i < last; i++) {
    // Bytes are checked only where a frame may begin, and the checksum only matches once all are
    // there.
    if (crc === 0 && i > headerEnd + 1 && isBoundary(bytes, i, info)) {
      // A checksum that ends with zeros is right before they are read
      const at = bytes[i] !== 0 ? i : bytes[i + 1] !== 0 ? i + 1 : i + 2;
      return { at: Math.min(at, bytes.length), scanned: i - start };
    }
    if (bytes[i] === 0xff && i > headerEnd && crc !== 0) {
      const next = flacHeaderAt(bytes, i, info);
      if (next?.number === number + (isVariable ? samples : 1))
        return { at: undefined, scanned: i - start };
    }
    crc = ((crc << 8) & 0xffff) ^ table16[(crc >> 8) ^ bytes[i]];
  }
  if (crc === 0 && last > headerEnd + 1) return { at: last, scanned: last - start };
  return { at: undefined, scanned: last - start };
}

/**
 * Whether a frame may end at a place: another follows, or another stream, or a tag that was not at
 * the very end.
 */
function isBoundary(bytes: Uint8Array, at: number, info: StreamInfo | undefined): boolean {
  if (flacHeaderAt(bytes, at, info) !== undefined) return true;
  const text = String.fromCharCode(...bytes.subarray(at, at + 4));
  return (
    text === "fLaC" ||
    /^(ID3|TAG|APE)/.test(text) ||
    bytes.subarray(at, at + 16).every((byte) => byte === 0)
  );
}
