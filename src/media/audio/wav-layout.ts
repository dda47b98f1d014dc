import type { PcmLayout, SampleType } from "./pcm.js";
import { type Chunk, isId, type RiffFile, readRiff } from "./riff-chunks.js";
import { tagLength } from "./tags.js";
import { undecodable } from "./undecodable.js";
import { compareLength, type Warnings } from "./warnings.js";
import { readWavFormat, type WavFormat } from "./wav-format.js";

const samples: Record<string, SampleType> = {
  "1/8": "u8",
  "1/16": "s16",
  "1/24": "s24",
  "1/32": "s32",
  "3/32": "f32",
  "3/64": "f64",
};
const aLawTag = 6;
const muLawTag = 7;

/** The position of a WAV's PCM or float samples, for readers of pipes. */
export function readWavLayout(bytes: Uint8Array, warnings: Warnings): PcmLayout {
  const file = readRiff(bytes);
  const layout = pcmLayout(file, findData(bytes, file, warnings));
  if (layout === undefined) throw undecodable("The WAV file holds no plain samples");
  return layout;
}

/** The data chunk of a WAV, possibly truncated, and its sample format. */
export interface WavData {
  format: WavFormat;
  start: number;
  length: number;
}

/** @throws AppError `undecodable_media` when there is no usable format or data chunk. */
export function findData(
  bytes: Uint8Array,
  { chunks, littleEndian }: RiffFile,
  warnings: Warnings,
): WavData {
  const [formatChunk, ...otherFormats] = chunks.filter(({ id }) => id === "fmt ");
  if (formatChunk === undefined)
    throw undecodable("The WAV file cannot be read: it has no format chunk");
  const contents = ({ start, size }: Chunk) => Buffer.from(bytes.subarray(start, start + size));
  if (otherFormats.some((other) => !contents(other).equals(contents(formatChunk))))
    warnings.add("The file has two different format chunks; the first one was used");
  const [data, ...others] = chunks.filter(({ id }) => id === "data");
  if (data === undefined) throw undecodable("The WAV file cannot be read: it has no data chunk");
  if (others.length > 0)
    warnings.add(`${others.length} further data chunks of the file were skipped`);
  const format = readWavFormat(bytes, formatChunk, { littleEndian, warnings });
  return { format, start: data.start, length: dataLength(bytes, data, format, warnings) };
}

/** Sizes left by writers that cannot seek back: pipes, and recorders that lost power. */
const neverCompleted = [0xffffffff, 0x7fffffff, 0x80000000];

function dataLength(
  bytes: Uint8Array,
  { start, size }: Chunk,
  format: WavFormat,
  warnings: Warnings,
): number {
  const left = bytes.length - start;
  if (size === 0 && left > 0 && !endsInChunks(bytes, start)) {
    warnings.add("The header was never completed: everything after it was read as sound");
    return left;
  }
  if (size <= left) {
    if (!endsInChunks(bytes, start + size + (size % 2)) && !endsInChunks(bytes, start + size))
      warnings.add(`${left - size} bytes after the sound were skipped`);
    return size;
  }
  const isUnknown = neverCompleted.some((mark) => size <= mark && size > mark - 65_536);
  const frameBytes = (format.bits / 8) * format.channels;
  if (!isUnknown && frameBytes > 0) {
    const frames = (length: number) => Math.floor(length / frameBytes);
    compareLength(warnings, frames(size), frames(left), format);
  }
  return left;
}

/** Whether only chunks, tags or padding follow to the end of the file. */
function endsInChunks(bytes: Uint8Array, from: number): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = from;
  while (at + 8 <= bytes.length) {
    const tag = tagLength(bytes, at);
    if (tag > 0) at += tag;
    else if (isId(bytes, at)) {
      const size = view.getUint32(at + 4, true);
      at += 8 + size + (size % 2);
    } else if (bytes[at] === 0) at++;
    else return false;
  }
  return true;
}

/** @returns undefined for samples that are neither PCM, float nor G.711. */
export function pcmLayout(
  { littleEndian }: RiffFile,
  { format, start, length }: WavData,
): PcmLayout | undefined {
  const { tag, bits, channels, sampleRateHz } = format;
  const type = tag === aLawTag ? "alaw" : tag === muLawTag ? "ulaw" : samples[`${tag}/${bits}`];
  return type && { type, littleEndian, channels, sampleRateHz, start, length };
}
