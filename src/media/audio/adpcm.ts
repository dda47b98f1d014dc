import type { SoundBuilder } from "./sound-builder.js";

/** Samples of 4 bits in blocks that can be decoded each by itself. */
export interface AdpcmLayout {
  kind: "ima" | "ms" | "ima-quicktime";
  channels: number;
  sampleRateHz: number;
  /** Bytes of a block of all channels. */
  blockBytes: number;
  start: number;
  length: number;
  /** Pairs of coefficients in the file. Microsoft's ADPCM only. */
  coefficients?: readonly (readonly [number, number])[];
}

/** IMA 4:1 as AIFF-C and CAF hold it: for each channel a block of 64 samples in 34 bytes. */
export const quicktimeAdpcm = (
  place: Pick<AdpcmLayout, "channels" | "sampleRateHz" | "start" | "length">,
): AdpcmLayout => ({ kind: "ima-quicktime", blockBytes: 34 * place.channels, ...place });

/**
 * Adds ADPCM samples. A truncated last block is dropped. Sources: IMA Digital Audio Focus
 * and Technical Working Groups, recommended practices 3.0 (1992); Microsoft, Multimedia Data
 * Standards Update (1994), "Microsoft ADPCM"; Apple, QuickTime file format, "IMA 4:1".
 * @returns the frames decoded and the number of implausible blocks.
 */
export function addAdpcm(
  bytes: Uint8Array,
  layout: AdpcmLayout,
  sound: SoundBuilder,
): { frames: number; badBlocks: number } {
  const { kind, channels, sampleRateHz, blockBytes, start, length } = layout;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const blockFrames = framesPerBlock(layout);
  const blocks = Math.floor(length / blockBytes);
  const planes = Array.from({ length: channels }, () => new Float32Array(blockFrames));
  const states = planes.map(() => ({ predictor: 0, index: 0 }));
  let frames = 0;
  let badBlocks = 0;
  for (let block = 0; block < blocks; block++) {
    const at = start + block * blockBytes;
    const isRight =
      kind === "ima"
        ? imaBlock(view, at, planes)
        : kind === "ms"
          ? msBlock(view, at, planes, layout.coefficients ?? msCoefficients)
          : quicktimeBlock(view, at, planes, states);
    if (!isRight) badBlocks++;
    if (isRight) sound.add(planes, blockFrames, sampleRateHz);
    else sound.addSilence(blockFrames, sampleRateHz);
    frames += blockFrames;
  }
  return { frames, badBlocks };
}

export function framesPerBlock({ kind, channels, blockBytes }: AdpcmLayout): number {
  if (kind === "ima-quicktime") return 64;
  if (kind === "ms") return 2 + Math.floor(((blockBytes - 7 * channels) * 2) / channels);
  return 1 + Math.floor((blockBytes - 4 * channels) / (4 * channels)) * 8;
}

function imaBlock(view: DataView, at: number, planes: readonly Float32Array[]): boolean {
  const channels = planes.length;
  for (const [channel, plane] of planes.entries()) {
    const state = {
      predictor: view.getInt16(at + 4 * channel, true),
      // One byte, and one that is always 0.
      index: view.getUint16(at + 4 * channel + 2, true),
    };
    if (state.index > 88) return false;
    plane[0] = state.predictor / 32768;
    for (let i = 0; i + 1 < plane.length; i++) {
      // Words of 8 samples, one channel after the other.
      const word = at + 4 * channels + 4 * (channels * (i >> 3) + channel);
      const byte = view.getUint8(word + ((i & 7) >> 1));
      plane[i + 1] = imaStep(state, (i & 1) === 0 ? byte & 15 : byte >> 4);
    }
  }
  return true;
}

/**
 * 34 bytes a channel, whose state continues across blocks as long as the rounded header agrees with
 * it.
 */
function quicktimeBlock(
  view: DataView,
  at: number,
  planes: readonly Float32Array[],
  states: { predictor: number; index: number }[],
): boolean {
  for (const [channel, plane] of planes.entries()) {
    const head = view.getInt16(at + 34 * channel, false);
    const [predictor, index] = [head & ~0x7f, head & 0x7f];
    if (index > 88) return false;
    const state = states[channel];
    if (state.index !== index || Math.abs(predictor - state.predictor) > 0x7f)
      Object.assign(state, { predictor, index });
    for (let i = 0; i < 64; i++) {
      const byte = view.getUint8(at + 34 * channel + 2 + (i >> 1));
      plane[i] = imaStep(state, (i & 1) === 0 ? byte & 15 : byte >> 4);
    }
  }
  return true;
}

function imaStep(state: { predictor: number; index: number }, code: number): number {
  const step = imaSteps[state.index];
  let change = step >> 3;
  if (code & 4) change += step;
  if (code & 2) change += step >> 1;
  if (code & 1) change += step >> 2;
  const predictor = state.predictor + (code & 8 ? -change : change);
  state.predictor = Math.max(-32768, Math.min(32767, predictor));
  state.index = Math.max(0, Math.min(88, state.index + imaIndexChange[code & 7]));
  return state.predictor / 32768;
}

function msBlock(
  view: DataView,
  at: number,
  planes: readonly Float32Array[],
  coefficients: readonly (readonly [number, number])[],
): boolean {
  const channels = planes.length;
  const states = planes.map((plane, channel) => {
    const int16 = (field: number) =>
      view.getInt16(at + channels + 2 * (field * channels + channel), true);
    const [delta, newer, older] = [int16(0), int16(1), int16(2)];
    plane[0] = older / 32768;
    plane[1] = newer / 32768;
    return { pair: coefficients[view.getUint8(at + channel)], delta, newer, older };
  });
  if (states.some(({ pair }) => pair === undefined)) return false;
  const body = at + 7 * channels;
  const codes = (planes[0].length - 2) * channels;
  for (let i = 0; i < codes; i++) {
    const byte = view.getUint8(body + (i >> 1));
    const code = (i & 1) === 0 ? byte >> 4 : byte & 15;
    const state = states[i % channels];
    const signed = code >= 8 ? code - 16 : code;
    const predicted = (state.newer * state.pair[0] + state.older * state.pair[1]) >> 8;
    const sample = Math.max(-32768, Math.min(32767, predicted + signed * state.delta));
    state.older = state.newer;
    state.newer = sample;
    state.delta = Math.max(16, (msAdaptation[code] * state.delta) >> 8);
    planes[i % channels][2 + Math.floor(i / channels)] = sample / 32768;
  }
  return true;
}

const msAdaptation = [
  230, 230, 230, 230, 307, 409, 512, 614, 768, 614, 512, 409, 307, 230, 230, 230,
];
const msCoefficients = [
  [256, 0],
  [512, -256],
  [0, 0],
  [192, 64],
  [240, 0],
  [460, -208],
  [392, -232],
] as const;

const imaIndexChange = [-1, -1, -1, -1, 2, 4, 6, 8];
const imaSteps = [
  7, 8, 9, 10, 11, 12, 13, 14, 16, 17, 19, 21, 23, 25, 28, 31, 34, 37, 41, 45, 50, 55, 60, 66, 73,
  80, 88, 97, 107, 118, 130, 143, 157, 173, 190, 209, 230, 253, 279, 307, 337, 371, 408, 449, 494,
  544, 598, 658, 724, 796, 876, 963, 1060, 1166, 1282, 1411, 1552, 1707, 1878, 2066, 2272, 2499,
  2749, 3024, 3327, 3660, 4026, 4428, 4871, 5358, 5894, 6484, 7132, 7845, 8630, 9493, 10442, 11487,
  12635, 13899, 15289, 16818, 18500, 20350, 22385, 24623, 27086, 29794, 32767,
];
