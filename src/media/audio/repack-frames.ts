import type { MpegHeader } from "./mpeg-header.js";
import { clearGranule, granuleBits, mainDataBegin, setMainDataBegin } from "./side-info.js";
import { unsupported } from "./undecodable.js";

interface Frame {
  start: number;
  header: MpegHeader;
}

interface Frames {
  data: Uint8Array;
  frames: readonly Frame[];
}

/** Index of the highest bit rate of Layer III: 320 kbit/s of MPEG-1, 160 of MPEG-2 and 2.5. */
const highestIndex = 14;

/**
 * Frames as the decoder can take them. It cannot read free format, and drops a frame when part of
 * it is in a missing frame. Such frames are rewritten at the highest bit rate: a frame's main data
 * may begin up to 511 bytes (MPEG-2: 255) before it, so data from smaller frames fits into larger
 * ones. Lost data becomes silence.
 *
 * @throws AppError `unsupported_media` for free formats above that rate.
 */
export function repackFrames(bytes: Uint8Array, frames: readonly Frame[]): Frames {
  const [{ start, header }] = frames;
  if (header.layer !== 3) return { data: bytes, frames };
  const beginsWhole = mainDataBegin(sideOf(bytes, start, header), header) === 0;
  if (beginsWhole && !header.isFreeFormat) return { data: bytes, frames };
  return repack(bytes, frames);
}

function sideOf(bytes: Uint8Array, start: number, { hasCrc, sideBytes }: MpegHeader): Uint8Array {
  const at = start + (hasCrc ? 6 : 4);
  return bytes.slice(at, at + sideBytes);
}

function repack(bytes: Uint8Array, frames: readonly Frame[]): Frames {
  const { isMpeg1, samples, sampleRateHz, sideBytes } = frames[0].header;
  const length = Math.floor(((samples / 8) * (isMpeg1 ? 320_000 : 160_000)) / sampleRateHz);
  const room = length - 4 - sideBytes;
  // A frame of a bit rate may be a byte longer than the next.
  if (frames.some(({ header }) => header.length > length + 1))
    throw unsupported("The MP3 file has a free-format bit rate that cannot be decoded");

  const data = new Uint8Array(frames.length * length);
  const source = new Uint8Array(frames.reduce((sum, { header }) => sum + header.length, 0));
  const longestBack = isMpeg1 ? 511 : 255;
  let arrived = 0; // bytes of main data in `source`
  let written = 0; // where main data ends in the slots of the new frames
  const repacked: Frame[] = [];
  for (const [i, { start, header }] of frames.entries()) {
    const side = sideOf(bytes, start, header);
    const sideStart = start + (header.hasCrc ? 6 : 4);
    let from = 8 * (arrived - mainDataBegin(side, header)); // in bits
    const body = bytes.subarray(sideStart + sideBytes, start + header.length);
    source.set(body, arrived);
    arrived += body.length;

    let bits = 0;
    for (const [granule, size] of granuleBits(side, header).entries()) {
      if (from < 0) {
        clearGranule(side, header, granule); // it begins in a missing frame
        from += size;
      } else bits += size;
    }
    const to = i * length;
    data.set(bytes.subarray(start, start + 4), to);
    data[to + 1] |= 1; // without checksum, which would be wrong now
    data[to + 2] = (highestIndex << 4) | (data[to + 2] & 0x0d);
    const slot = i * room;
    const size = Math.ceil(bits / 8);
    const begin = Math.max(written, slot - longestBack);
    // Implausible data is dropped: the decoder mutes the frame.
    const isComplete = from >= 0 && from + bits <= 8 * arrived && begin + size <= slot + room;
    setMainDataBegin(side, header, isComplete ? slot - begin : longestBack);
    data.set(side, to + 4);
    for (let j = 0; isComplete && j < size; j++) {
      const place = begin + j;
      const target = Math.floor(place / room) * length + 4 + sideBytes + (place % room);
      data[target] = byteAt(source, from + 8 * j);
    }
    if (isComplete) written = begin + size;
    repacked.push({ start: to, header: { ...header, length, hasCrc: false, isFreeFormat: false } });
  }
  return { data, frames: repacked };
}

/** Eight bits from any bit on. */
function byteAt(bytes: Uint8Array, bit: number): number {
  const [at, shift] = [bit >> 3, bit & 7];
  return ((bytes[at] << shift) | ((bytes[at + 1] ?? 0) >> (8 - shift))) & 255;
}
