import { decodeWithFfmpeg } from "./ffmpeg.js";
import { type FrameHeader, noteGap, walkFrames } from "./frame-walk.js";
import type { SoundBuilder } from "./sound-builder.js";
import { undecodable } from "./undecodable.js";
import type { Warnings } from "./warnings.js";

const rates = [
  96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8000,
  7350,
];

/** The header of an AAC frame. Source: ISO 14496-3, section 1.A.2.2 (ADTS). */
export function adtsHeaderAt(bytes: Uint8Array, at: number): FrameHeader | undefined {
  if (at + 7 > bytes.length || bytes[at] !== 0xff || (bytes[at + 1] & 0xf6) !== 0xf0)
    return undefined;
  const rateIndex = (bytes[at + 2] >> 2) & 15;
  const length = ((bytes[at + 3] & 3) << 11) | (bytes[at + 4] << 3) | (bytes[at + 5] >> 5);
  const headerBytes = (bytes[at + 1] & 1) === 1 ? 7 : 9;
  if (rateIndex >= rates.length || length <= headerBytes) return undefined;
  const channels = ((bytes[at + 2] & 1) << 2) | (bytes[at + 3] >> 6);
  const samples = 1024 * ((bytes[at + 6] & 3) + 1);
  const key = (bytes[at + 1] << 12) | ((bytes[at + 2] & 0xfc) << 4) | channels;
  return { length, samples, sampleRateHz: rates[rateIndex], key };
}

/**
 * AAC without a container, by ffmpeg: only its frames are passed on, each part of one rate
 * separately.
 */
export async function decodeAdts(
  bytes: Uint8Array,
  sound: SoundBuilder,
  warnings: Warnings,
): Promise<void> {
  const parts: { key: number; frames: Uint8Array[] }[] = [];
  let seconds = 0;
  for (const event of walkFrames(bytes, adtsHeaderAt)) {
    if (event.kind === "gap") {
      noteGap(event, { seconds, isFirst: parts.length === 0 }, warnings);
      continue;
    }
    const { start, header } = event;
    if (parts.at(-1)?.key !== header.key) parts.push({ key: header.key, frames: [] });
    parts.at(-1)?.frames.push(bytes.subarray(start, start + header.length));
    seconds += header.samples / header.sampleRateHz;
  }
  if (parts.length === 0) throw undecodable("The AAC file holds no frames");
  if (parts.length > 100) throw undecodable("The AAC file changes its format more than 100 times");
  for (const { frames } of parts) {
    await decodeWithFfmpeg(Buffer.concat(frames), { demuxer: "aac", name: "AAC" }, sound, warnings);
  }
}
