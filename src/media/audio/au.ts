import { addPcm, bytesPerSample, type SampleType } from "./pcm.js";
import type { SoundBuilder } from "./sound-builder.js";
import { undecodable, unsupported } from "./undecodable.js";
import { compareLength, type Warnings } from "./warnings.js";

const types: Record<number, SampleType> = {
  1: "ulaw",
  2: "s8",
  3: "s16",
  4: "s24",
  5: "s32",
  6: "f32",
  7: "f64",
  27: "alaw",
};
const unknownLength = 0xffffffff;

/**
 * Sun's AU, also byte-swapped. Source: Sun, audio file format (pubs.opengroup.org and man 4
 * audio_hdr).
 */
export function decodeAu(bytes: Uint8Array, sound: SoundBuilder, warnings: Warnings): void {
  if (bytes.length < 24) throw undecodable("The AU file cannot be read: its header is cut short");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const littleEndian = bytes[0] === 0x64; // "dns."
  const uint32 = (at: number) => view.getUint32(at, littleEndian);
  const [start, claimed, encoding, sampleRateHz, channels] = [4, 8, 12, 16, 20].map(uint32);
  const type = types[encoding];
  if (type === undefined)
    throw unsupported(
      `The AU file has the encoding ${encoding}; expected PCM, float, A-law or mu-law`,
    );
  if (channels === 0 || channels > 65_535 || start < 24 || start > bytes.length)
    throw undecodable("The AU file cannot be read: its header is invalid");
  const left = bytes.length - start;
  const isUnknown = claimed === unknownLength || (claimed === 0 && left > 0);
  const length = isUnknown ? left : Math.min(left, claimed);
  const frameBytes = bytesPerSample[type] * channels;
  const found = addPcm(bytes, { type, littleEndian, channels, sampleRateHz, start, length }, sound);
  if (!isUnknown)
    compareLength(warnings, Math.floor(claimed / frameBytes), found, { sampleRateHz });
  if (!isUnknown && left > claimed)
    warnings.add(`${left - claimed} bytes after the sound were skipped`);
}
