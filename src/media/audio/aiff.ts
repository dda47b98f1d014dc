import { addAdpcm, quicktimeAdpcm } from "./adpcm.js";
import { decodeWithFfmpeg } from "./ffmpeg.js";
import { addPcm, bytesPerSample, type SampleType } from "./pcm.js";
import type { SoundBuilder } from "./sound-builder.js";
import { undecodable } from "./undecodable.js";
import { compareLength, type Warnings } from "./warnings.js";

/** Sample types of AIFF-C's compression types; those of the other byte order in `littleEndian`. */
const types: Record<string, SampleType | "integer"> = {
  NONE: "integer",
  twos: "integer",
  sowt: "integer",
  in24: "s24",
  in32: "s32",
  "42ni": "s24",
  "42n1": "s24", // as libsndfile writes it
  "23ni": "s32",
  "raw ": "u8",
  fl32: "f32",
  FL32: "f32",
  fl64: "f64",
  FL64: "f64",
  alaw: "alaw",
  ALAW: "alaw",
  ulaw: "ulaw",
  ULAW: "ulaw",
};
const littleEndian = ["sowt", "42ni", "42n1", "23ni"];

/**
 * AIFF and AIFF-C: PCM in both byte orders, float, A-law, mu-law, IMA 4:1; other codecs go to
 * ffmpeg. Sources: Apple, Audio Interchange File Format 1.3 (1989), AIFF-C draft (1991).
 */
export async function decodeAiff(
  bytes: Uint8Array,
  sound: SoundBuilder,
  warnings: Warnings,
): Promise<void> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const text = (from: number, to: number) => String.fromCharCode(...bytes.subarray(from, to));
  let common:
    | { channels: number; frames: number; bits: number; sampleRateHz: number; type: string }
    | undefined;
  let data: { start: number; length: number } | undefined;
  for (let at = 12; at + 8 <= bytes.length; ) {
    const id = text(at, at + 4);
    const size = view.getUint32(at + 4);
    const start = at + 8;
    if (id === "COMM" && size >= 18 && start + 18 <= bytes.length) {
      common = {
        channels: view.getUint16(start),
        frames: view.getUint32(start + 2),
        bits: view.getUint16(start + 6),
        sampleRateHz: Math.round(extended(view, start + 8)),
        type: text(8, 12) === "AIFC" && size >= 22 ? text(start + 18, start + 22) : "NONE",
      };
    } else if (id === "SSND" && start + 8 <= bytes.length && data === undefined) {
      const begin = start + 8 + view.getUint32(start);
      const left = bytes.length - begin;
      const claimed = size - (begin - start);
      const isUnknown = size === 0 || size >= 0xffff0000;
      data = { start: begin, length: isUnknown ? left : Math.max(0, Math.min(left, claimed)) };
    }
    at = start + size + (size % 2);
  }
  if (common === undefined) throw undecodable("The AIFF file cannot be read: it has no format");
  if (data === undefined) throw undecodable("The AIFF file cannot be read: it has no samples");
  const { channels, frames, bits, sampleRateHz, type } = common;
  if (channels === 0) throw undecodable("The AIFF file cannot be read: it has no channels");
  const { start, length } = data;
  if (type === "ima4") {
    const layout = quicktimeAdpcm({ channels, sampleRateHz, start, length });
    const { badBlocks, ...found } = addAdpcm(bytes, layout, sound);
    if (badBlocks > 0) warnings.mute("block", badBlocks, 0, sound.seconds);
    // Blocks are counted here, and by some writers half of them.
    const claimed = Math.max(frames * 64, found.frames);
    compareLength(warnings, claimed, found.frames, { sampleRateHz });
    return;
  }
  const named = types[type];
  const sample = named === "integer" ? integerOf(bits) : named;
  if (sample === undefined) {
    if (named !== undefined)
      throw undecodable(`The AIFF file cannot be read: its samples have ${bits} bits`);
    await decodeWithFfmpeg(
      bytes,
      { demuxer: "aiff", name: "AIFF-C with another codec" },
      sound,
      warnings,
    );
    return;
  }
  const frameBytes = bytesPerSample[sample] * channels;
  // Bytes after the announced frames do not belong to them.
  const stored = Math.floor(length / frameBytes);
  const read = frames > 0 ? Math.min(frames, stored) : stored;
  addPcm(
    bytes,
    {
      type: sample,
      littleEndian: littleEndian.includes(type),
      channels,
      sampleRateHz,
      start,
      length: read * frameBytes,
    },
    sound,
  );
  if (frames === 0 && stored > 0)
    warnings.add("The header was never completed: everything after it was read as sound");
  else if (frames > stored) compareLength(warnings, frames, stored, { sampleRateHz });
  else if (frames < stored)
    warnings.add(`${(stored - frames) * frameBytes} bytes after the sound were skipped`);
}

function integerOf(bits: number): SampleType | undefined {
  return bits > 0 ? (["s8", "s16", "s24", "s32"] as const)[Math.ceil(bits / 8) - 1] : undefined;
}

/** An 80-bit float, IEEE 754's extended precision. */
function extended(view: DataView, at: number): number {
  const exponent = view.getUint16(at) & 0x7fff;
  const mantissa = view.getUint32(at + 2) * 2 ** 32 + view.getUint32(at + 6);
  return mantissa * 2 ** (exponent - 16383 - 63);
}
