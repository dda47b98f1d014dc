import { addAdpcm, quicktimeAdpcm } from "./adpcm.js";
import { decodeWithFfmpeg } from "./ffmpeg.js";
import { addPcm, bytesPerSample, type SampleType } from "./pcm.js";
import type { SoundBuilder } from "./sound-builder.js";
import { undecodable, unsupported } from "./undecodable.js";
import { compareLength, type Warnings } from "./warnings.js";

/**
 * Apple's Core Audio Format: PCM, float, A-law, mu-law, IMA 4:1; other codecs (AAC, ALAC, Opus) go
 * to ffmpeg. Source: Apple, Core Audio Format specification 1.0.
 */
export async function decodeCaf(
  bytes: Uint8Array,
  sound: SoundBuilder,
  warnings: Warnings,
): Promise<void> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const text = (at: number) => String.fromCharCode(...bytes.subarray(at, at + 4));
  let format:
    | {
        sampleRateHz: number;
        type: string;
        flags: number;
        packetBytes: number;
        channels: number;
        bits: number;
      }
    | undefined;
  let data: { start: number; length: number; claimed: number } | undefined;
  for (let at = 8; at + 12 <= bytes.length; ) {
    const size = Number(view.getBigInt64(at + 4));
    const start = at + 12;
    if (text(at) === "desc" && size >= 32 && start + 32 <= bytes.length) {
      format = {
        sampleRateHz: Math.round(view.getFloat64(start)),
        type: text(start + 8),
        flags: view.getUint32(start + 12),
        packetBytes: view.getUint32(start + 16),
        channels: view.getUint32(start + 24),
        bits: view.getUint32(start + 28),
      };
    } else if (text(at) === "data") {
      const left = Math.max(0, bytes.length - start - 4); // an edit count comes first
      const claimed = size < 4 ? left : size - 4;
      data = { start: start + 4, length: Math.min(left, claimed), claimed };
    }
    if (size < 0) break;
    at = start + size;
  }
  if (format === undefined || data === undefined)
    throw undecodable("The CAF file cannot be read: it has no format or no samples");
  const { sampleRateHz, type, flags, packetBytes, channels, bits } = format;
  if (channels === 0 || channels > 65_535)
    throw undecodable(`The CAF file has ${channels} channels`);
  const { start, length, claimed } = data;
  if (type === "ima4") {
    const layout = quicktimeAdpcm({ channels, sampleRateHz, start, length });
    const { badBlocks } = addAdpcm(bytes, layout, sound);
    if (badBlocks > 0) warnings.mute("block", badBlocks, 0, sound.seconds);
    const frames = (size: number) => Math.floor(size / layout.blockBytes) * 64;
    compareLength(warnings, frames(claimed), frames(length), { sampleRateHz });
    return;
  }
  const sample =
    type === "alaw" || type === "ulaw" ? type : type === "lpcm" ? lpcm(flags, bits) : undefined;
  if (sample === undefined) {
    if (type === "lpcm")
      throw unsupported(`The CAF file has samples of ${bits} bits, which are not supported`);
    await decodeWithFfmpeg(
      bytes,
      { demuxer: "caf", name: "CAF with another codec than PCM" },
      sound,
      warnings,
    );
    return;
  }
  const frameBytes = bytesPerSample[sample] * channels;
  // The format does not say where the bits are within more bytes.
  if (type === "lpcm" && packetBytes !== 0 && packetBytes !== frameBytes)
    throw unsupported(
      `The CAF file has packets of ${packetBytes} bytes; expected frames of ${frameBytes}`,
    );
  const littleEndian = (flags & 2) !== 0;
  addPcm(bytes, { type: sample, littleEndian, channels, sampleRateHz, start, length }, sound);
  const frames = (size: number) => Math.floor(size / frameBytes);
  compareLength(warnings, frames(claimed), frames(length), { sampleRateHz });
}

function lpcm(flags: number, bits: number): SampleType | undefined {
  const isFloat = (flags & 1) !== 0;
  if (isFloat) return bits === 32 ? "f32" : bits === 64 ? "f64" : undefined;
  return ({ 8: "s8", 16: "s16", 24: "s24", 32: "s32" } as const)[bits];
}
