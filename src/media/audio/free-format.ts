import type { MpegHeader } from "./mpeg-header.js";
import { unsupported } from "./undecodable.js";

interface Frame {
  start: number;
  header: MpegHeader;
}

/** Index of the highest bit rate of Layer III: 320 kbit/s of MPEG-1, 160 of MPEG-2 and 2.5. */
const highestIndex = 14;

/**
 * The decoder takes no free format. Its frames are written again at the highest bit rate there is: a frame's main data may begin up to
 * 511 bytes (MPEG-2: 255) before it, so that data that fitted into smaller frames fits into larger ones.
 *
 * @throws AppError `unsupported_media` for free formats above that rate, and of Layers I and II.
 */
export function withBitRate(
  bytes: Uint8Array,
  frames: readonly Frame[],
): { data: Uint8Array; frames: readonly Frame[] } {
  if (!frames[0].header.isFreeFormat) return { data: bytes, frames };
  const { layer, isMpeg1, samples, sampleRateHz, sideBytes } = frames[0].header;
  const length = Math.floor(((samples / 8) * (isMpeg1 ? 320_000 : 160_000)) / sampleRateHz);
  const room = length - 4 - sideBytes;
  if (layer !== 3 || frames.some(({ header }) => header.length > length))
    throw unsupported("The MP3 file has a free-format bit rate that cannot be decoded");

  const data = new Uint8Array(frames.length * length);
  const source = new Uint8Array(frames.reduce((sum, { header }) => sum + header.length, 0));
  const longestBack = isMpeg1 ? 511 : 255;
  let arrived = 0; // bytes of main data in `source`
  let written = 0; // where main data ends in the slots of the new frames
  const written2: Frame[] = [];
  for (const [i, { start, header }] of frames.entries()) {
    const sideStart = start + 4 + (header.hasCrc ? 2 : 0);
    const side = bytes.slice(sideStart, sideStart + sideBytes);
    const back = isMpeg1 ? (side[0] << 1) | (side[1] >> 7) : side[0];
    const begin = arrived - back;
    const body = bytes.subarray(sideStart + sideBytes, start + header.length);
    source.set(body, arrived);
    arrived += body.length;

    const to = i * length;
    data.set(bytes.subarray(start, start + 4), to);
    data[to + 1] |= 1; // without checksum, which would be another now
    data[to + 2] = (highestIndex << 4) | (data[to + 2] & 0x0d);
    const slot = i * room;
    const size = Math.ceil(mainDataBits(side, header) / 8);
    const newBegin = Math.max(written, slot - longestBack);
    // Data that comes from before the first frame, or that cannot be right, is left out: the decoder mutes the frame.
    const isThere = begin >= 0 && begin + size <= arrived && newBegin + size <= slot + room;
    const newBack = isThere ? slot - newBegin : longestBack;
    if (isMpeg1) {
      side[0] = newBack >> 1;
      side[1] = (side[1] & 0x7f) | ((newBack & 1) << 7);
    } else side[0] = newBack;
    data.set(side, to + 4);
    if (isThere) {
      for (let j = 0; j < size; j++) {
        const place = newBegin + j;
        data[Math.floor(place / room) * length + 4 + sideBytes + (place % room)] =
          source[begin + j];
      }
      written = newBegin + size;
    }
    written2.push({ start: to, header: { ...header, length, hasCrc: false, isFreeFormat: false } });
  }
  return { data, frames: written2 };
}

/** The sum of part2_3_length over granules and channels. */
function mainDataBits(side: Uint8Array, { isMpeg1, isMono }: MpegHeader): number {
  const channels = isMono ? 1 : 2;
  const granules = isMpeg1 ? 2 : 1;
  // Before the granules: main_data_begin, private bits and, in MPEG-1, scfsi.
  const first = isMpeg1 ? (isMono ? 9 + 5 + 4 : 9 + 3 + 8) : isMono ? 8 + 1 : 8 + 2;
  const granuleBits = isMpeg1 ? 59 : 63;
  let sum = 0;
  for (let i = 0; i < granules * channels; i++) sum += bitsAt(side, first + i * granuleBits, 12);
  return sum;
}

function bitsAt(bytes: Uint8Array, at: number, count: number): number {
  let value = 0;
  for (let i = at; i < at + count; i++)
    value = (value << 1) | ((bytes[i >> 3] >> (7 - (i & 7))) & 1);
  return value;
}
