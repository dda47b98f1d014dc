import { aLaw, muLaw } from "./g711.js";
import type { SoundBuilder } from "./sound-builder.js";

/**
 * How one sample is stored: `u8` is unsigned; what is larger is signed, or a float; `alaw` and
 * `ulaw` are G.711.
 */
export type SampleType = "u8" | "s8" | "s16" | "s24" | "s32" | "f32" | "f64" | "alaw" | "ulaw";

/** Interleaved samples in a file. */
export interface PcmLayout {
  type: SampleType;
  littleEndian: boolean;
  channels: number;
  sampleRateHz: number;
  /** Where the samples begin, in bytes, and how many bytes they take. */
  start: number;
  length: number;
}

export const bytesPerSample: Record<SampleType, number> = {
  u8: 1,
  s8: 1,
  s16: 2,
  s24: 3,
  s32: 4,
  f32: 4,
  f64: 8,
  alaw: 1,
  ulaw: 1,
};

/** Frames read at once. */
const pieceFrames = 1 << 16;

/**
 * Adds PCM samples: integers become numbers in [-1, 1), floats are unchanged. @returns the number
 * of complete frames.
 */
export function addPcm(bytes: Uint8Array, layout: PcmLayout, sound: SoundBuilder): number {
  const { type, littleEndian, channels, sampleRateHz, start, length } = layout;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const read = readers[type];
  const size = bytesPerSample[type];
  const frames = Math.floor(length / (size * channels));
  sound.expect(frames, channels, sampleRateHz);
  const piece = new Float32Array(Math.min(frames, pieceFrames));
  for (let from = 0; from < frames; from += pieceFrames) {
    const count = Math.min(frames - from, pieceFrames);
    let at = start + from * size * channels;
    for (let frame = 0; frame < count; frame++) {
      let sum = 0;
      for (let channel = 0; channel < channels; channel++, at += size)
        sum += read(view, at, littleEndian);
      piece[frame] = sum / channels;
    }
    sound.add([piece], count, sampleRateHz);
  }
  return frames;
}

type Reader = (view: DataView, at: number, littleEndian: boolean) => number;

const readers: Record<SampleType, Reader> = {
  u8: (view, at) => (view.getUint8(at) - 128) / 128,
  s8: (view, at) => view.getInt8(at) / 128,
  s16: (view, at, littleEndian) => view.getInt16(at, littleEndian) / 32768,
  s24: (view, at, littleEndian) =>
    littleEndian
      ? ((view.getInt8(at + 2) << 16) | view.getUint16(at, true)) / 8388608
      : ((view.getInt16(at, false) << 8) | view.getUint8(at + 2)) / 8388608,
  s32: (view, at, littleEndian) => view.getInt32(at, littleEndian) / 2147483648,
  f32: (view, at, littleEndian) => view.getFloat32(at, littleEndian),
  f64: (view, at, littleEndian) => view.getFloat64(at, littleEndian),
  alaw: (view, at) => aLaw[view.getUint8(at)],
  ulaw: (view, at) => muLaw[view.getUint8(at)],
};
