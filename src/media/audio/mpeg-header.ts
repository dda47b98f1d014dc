import type { FrameHeader } from "./frame-walk.js";
import { isPlausible } from "./side-info.js";

/**
 * The header of a frame of MPEG-1, -2 or -2.5 audio. Sources: ISO 11172-3 and 13818-3, section
 * 2.4.2.3.
 */
export interface MpegHeader extends FrameHeader {
  layer: 1 | 2 | 3;
  /** MPEG-1; otherwise MPEG-2 or 2.5, with half the samples a frame in Layer III. */
  isMpeg1: boolean;
  isMono: boolean;
  hasCrc: boolean;
  /** Without a bit rate in the header: the length comes from where the next frame begins. */
  isFreeFormat: boolean;
  /** Bytes of Layer III's side information. */
  sideBytes: number;
}

const rates = [44_100, 48_000, 32_000];
/** Kilobits a second by index 1 to 14. */
const bitRates: Record<string, readonly number[]> = {
  "1/1": [32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448],
  "1/2": [32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384],
  "1/3": [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
  "2/1": [32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256],
  "2/2": [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
  "2/3": [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
};

/** The highest frame length of a free format: 640 kbit/s at 32 kHz. */
const longestFreeFrame = 2881;

export function mpegHeaderAt(bytes: Uint8Array, at: number): MpegHeader | undefined {
  if (at + 4 > bytes.length || bytes[at] !== 0xff || (bytes[at + 1] & 0xe0) !== 0xe0)
    return undefined;
  const version = (bytes[at + 1] >> 3) & 3; // 3 MPEG-1, 2 MPEG-2, 0 MPEG-2.5
  const layerBits = (bytes[at + 1] >> 1) & 3;
  const bitRateIndex = bytes[at + 2] >> 4;
  const rateIndex = (bytes[at + 2] >> 2) & 3;
  const padding = (bytes[at + 2] >> 1) & 1;
  const emphasis = bytes[at + 3] & 3;
  if (version === 1 || layerBits === 0 || bitRateIndex === 15 || rateIndex === 3 || emphasis === 2)
    return undefined;
  const layer = (4 - layerBits) as 1 | 2 | 3;
  const isMpeg1 = version === 3;
  const isMono = bytes[at + 3] >> 6 === 3;
  const sampleRateHz = rates[rateIndex] >> (isMpeg1 ? 0 : version === 2 ? 1 : 2);
  const samples = layer === 1 ? 384 : layer === 2 || isMpeg1 ? 1152 : 576;
  const sideBytes = isMpeg1 ? (isMono ? 17 : 32) : isMono ? 9 : 17;
  const isFreeFormat = bitRateIndex === 0;
  const key =
    (version << 6) |
    (layerBits << 4) |
    (rateIndex << 2) |
    (isMono ? 2 : 0) |
    (isFreeFormat ? 1 : 0);
  const hasCrc = (bytes[at + 1] & 1) === 0;
  const header = {
    layer,
    isMpeg1,
    isMono,
    sampleRateHz,
    samples,
    sideBytes,
    key,
    isFreeFormat,
    hasCrc,
  };
  if (isFreeFormat) {
    const length = freeFormatLength(bytes, at);
    if (length === undefined) return undefined;
    const side = bytes.subarray(at + (hasCrc ? 6 : 4), at + length);
    if (side.length < sideBytes || layer !== 3 || !isPlausible(side, header, length))
      return undefined;
    return { ...header, length, isGuess: true };
  }
  const bitRate = bitRates[`${isMpeg1 ? 1 : 2}/${layer}`][bitRateIndex - 1] * 1000;
  const length =
    layer === 1
      ? (Math.floor((12 * bitRate) / sampleRateHz) + padding) * 4
      : Math.floor(((samples / 8) * bitRate) / sampleRateHz) + padding;
  return { ...header, length };
}

/** Up to the next header that differs only in padding, or the end of the file. */
function freeFormatLength(bytes: Uint8Array, at: number): number | undefined {
  const isSame = (next: number) =>
    bytes[next] === 0xff &&
    bytes[next + 1] === bytes[at + 1] &&
    (bytes[next + 2] & 0xfc) === (bytes[at + 2] & 0xfc) &&
    bytes[next + 3] >> 6 === bytes[at + 3] >> 6;
  const last = Math.min(at + longestFreeFrame, bytes.length - 4);
  for (let next = at + 24; next <= last; next++) if (isSame(next)) return next - at;
  return bytes.length - at <= longestFreeFrame ? bytes.length - at : undefined;
}
