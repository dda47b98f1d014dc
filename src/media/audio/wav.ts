import { type AdpcmLayout, addAdpcm, framesPerBlock } from "./adpcm.js";
import { decodeWithFfmpeg } from "./ffmpeg.js";
import { decodeMp3 } from "./mp3.js";
import { addPcm, bytesPerSample, type PcmLayout } from "./pcm.js";
import { type RiffFile, readRiff } from "./riff-chunks.js";
import type { SoundBuilder } from "./sound-builder.js";
import { undecodable, unsupported } from "./undecodable.js";
import type { Warnings } from "./warnings.js";
import { ffmpegCodecOf, packedCodec } from "./wav-codecs.js";
import type { WavFormat } from "./wav-format.js";
import { findData, pcmLayout, type WavData } from "./wav-layout.js";

const msAdpcmTag = 2;
const imaAdpcmTag = 0x11;
/** MPEG audio inside of WAV: Layer I and II, Layer III. */
const mpegTags = [0x50, 0x55];

/**
 * A WAV file (RIFF, RIFX, RF64, BW64, Wave64): PCM of 8 to 32 bits, float of 32 or 64, A-law,
 * mu-law, IMA and Microsoft ADPCM, MPEG audio; other codecs go to ffmpeg. A header that was never
 * completed (sizes of 0 or of 4 GB) or claims too much is read to the end of the file.
 *
 * @throws AppError `undecodable_media` when there is no usable format or data chunk,
 *   `unsupported_media` for an unknown codec.
 */
export async function decodeWav(
  bytes: Uint8Array,
  sound: SoundBuilder,
  warnings: Warnings,
): Promise<void> {
  const file = readRiff(bytes);
  const { format, start, length } = findData(bytes, file, warnings);
  const { tag, channels } = format;
  if (mpegTags.includes(tag)) {
    await decodeMp3(bytes.subarray(start, start + length), sound, warnings);
    return;
  }
  if (tag === 1 && channels === 2 && format.bits === 16) {
    const packed = packedCodec(bytes, start, length);
    if (packed !== undefined) {
      const source = { demuxer: "wav", name: `WAV with ${packed}` };
      return decodeWithFfmpeg(bytes, source, sound, warnings);
    }
  }
  const adpcm = adpcmLayout(bytes, file, { format, start, length });
  if (adpcm !== undefined) {
    const { badBlocks } = addAdpcm(bytes, adpcm, sound);
    if (badBlocks > 0) warnings.mute("block", badBlocks, 0, sound.seconds);
    if (length % adpcm.blockBytes > 0) warnings.add("The last block is incomplete and was skipped");
    return;
  }
  const layout = pcmLayout(file, { format, start, length });
  if (layout === undefined) {
    if (tag === 1 || tag === 3)
      throw undecodable(`The WAV file cannot be read: its samples have ${format.bits} bits`);
    const codec = ffmpegCodecOf(tag);
    if (codec === undefined)
      throw unsupported(`The WAV file has the codec ${hex(tag)}, which is not supported`);
    const source = { demuxer: "wav", name: `WAV with ${codec}` };
    return decodeWithFfmpeg(bytes, source, sound, warnings);
  }
  addPcm(bytes, layout, sound);
  if (length % (channels * bytesPerSample[layout.type]) > 0)
    warnings.add("The last frame is incomplete and was skipped");
  warnOfPadding(bytes, layout, format, warnings);
}

const hex = (tag: number) => `0x${tag.toString(16).padStart(4, "0")}`;

function adpcmLayout(
  bytes: Uint8Array,
  { littleEndian }: RiffFile,
  { format, start, length }: WavData,
): AdpcmLayout | undefined {
  const { tag, channels, sampleRateHz, blockBytes, extraStart, extraLength } = format;
  if (tag !== msAdpcmTag && tag !== imaAdpcmTag) return undefined;
  if ([2, 3, 5].includes(format.codedBits))
    throw unsupported(`The WAV file has ADPCM of ${format.codedBits} bits; expected 4`);
  const kind = tag === msAdpcmTag ? "ms" : "ima";
  const layout: AdpcmLayout = { kind, channels, sampleRateHz, blockBytes, start, length };
  const maxFrames = 2 * 65_536;
  if (framesPerBlock(layout) < 2 || framesPerBlock(layout) > maxFrames)
    throw undecodable(`The WAV file cannot be read: its blocks have ${blockBytes} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (kind === "ms" && extraLength >= 8) {
    const count = Math.min(view.getUint16(extraStart + 2, littleEndian), (extraLength - 4) >> 2);
    layout.coefficients = Array.from({ length: count }, (_, i) => [
      view.getInt16(extraStart + 4 + 4 * i, littleEndian),
      view.getInt16(extraStart + 6 + 4 * i, littleEndian),
    ]);
    if (count < 1) layout.coefficients = undefined;
  }
  return layout;
}

/** Samples with fewer bits than their container use the upper ones, with zeros below. */
function warnOfPadding(
  bytes: Uint8Array,
  layout: PcmLayout,
  { bits, validBits, tag }: WavFormat,
  warnings: Warnings,
): void {
  const spare = bits - validBits;
  if (tag !== 1 || spare <= 0 || !["s16", "s24", "s32"].includes(layout.type)) return;
  const size = bytesPerSample[layout.type];
  const lowest = layout.littleEndian ? 0 : size - 1;
  const mask = 2 ** Math.min(spare, 8) - 1;
  for (let at = layout.start; at + size <= layout.start + layout.length; at += size) {
    if ((bytes[at + lowest] & mask) === 0) continue;
    warnings.add(
      `The header says that ${validBits} of ${bits} bits are used, but all of them are: all ` +
        "were read",
    );
    return;
  }
}
