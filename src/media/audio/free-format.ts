import type { MpegHeader } from "./mpeg-header.js";
import { mainDataBits } from "./side-info.js";
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
 * @throws AppError `unsupported_media` for free formats above that rate.
 */
export function withBitRate(
  bytes: Uint8Array,
  frames: readonly Frame[],
): { data: Uint8Array; frames: readonly Frame[] } {
  if (!frames[0].header.isFreeFormat) return { data: bytes, frames };
  const { isMpeg1, samples, sampleRateHz, sideBytes } = frames[0].header;
  const length = Math.floor(((samples / 8) * (isMpeg1 ? 320_000 : 160_000)) / sampleRateHz);
  const room = length - 4 - sideBytes;
  if (frames.some(({ header }) => header.length > length))
    throw unsupported("The MP3 file has a free-format bit rate that cannot be decoded");

  const data = new Uint8Array(frames.length * length);
  const source = new Uint8Array(frames.reduce((sum, { header }) => sum + header.length, 0));
  const longestBack = isMpeg1 ? 511 : 255;
  let arrived = 0; // bytes of main data in `source`
  let written = 0; // where main data ends in the slots of the new frames
  const rewritten: Frame[] = [];
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
    rewritten.push({
      start: to,
      header: { ...header, length, hasCrc: false, isFreeFormat: false },
    });
  }
  return { data, frames: rewritten };
}
