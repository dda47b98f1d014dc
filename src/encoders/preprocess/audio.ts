import { AppError } from "../../errors.js";
import type { DecodedAudio } from "../encoder.js";
import type { AudioPreprocess } from "../manifest.js";
import { logMel } from "./log-mel.js";
import type { AudioTensors, WindowRange } from "./media-tensors.js";
import { resample, resampledLength } from "./resample.js";

/**
 * The audio tower's inputs for one sound: resampled to the model's rate, cut into windows, padded,
 * log-mel.
 *
 * @param range  which windows are wanted; only their part of the sound is resampled. Left out: all.
 * @returns one tensor per window, each of shape `shape`: [1, frames, mels], [1, mels, frames], or
 *   [4, frames, mels] for fused CLAP.
 */
export function audioInputs(
  audio: DecodedAudio,
  spec: AudioPreprocess,
  range: WindowRange = { start: 0, count: Number.POSITIVE_INFINITY },
): AudioTensors {
  if (audio.samples.length === 0) {
    throw new AppError("invalid_input", "The sound holds no samples", { param: "audio" });
  }
  const { sampleRateHz } = spec;
  const part = (start: number, end: number) =>
    resample(audio.samples, audio.sampleRateHz, sampleRateHz, { start, end });
  const length = resampledLength(audio.samples.length, audio.sampleRateHz, sampleRateHz);
  const size = Math.round(spec.windowSeconds * sampleRateHz);
  const frames = 1 + Math.floor((size - (spec.preEmphasis === 0 ? 0 : 1)) / spec.hopLength);
  const axes = spec.layout === "frames-mels" ? [frames, spec.mel.count] : [spec.mel.count, frames];
  if (spec.longer === "fusion") {
    const { tensor, isLonger } = fusionStack({ length, part }, size, spec);
    const endSeconds = length / sampleRateHz;
    const window = { startSeconds: 0, endSeconds, tensor, isLonger };
    return { windows: [window], shape: [4, ...axes], total: 1 };
  }
  const all = windowStarts(length, size, Math.round(spec.hopSeconds * sampleRateHz));
  const starts = all.slice(range.start, range.start + range.count);
  const first = starts[0] ?? 0;
  const samples = part(first, Math.min((starts.at(-1) ?? 0) + size, length));
  const windows = starts.map((start) => {
    const end = Math.min(start + size, length);
    const window = samples.subarray(start - first, end - first);
    return {
      startSeconds: start / sampleRateHz,
      endSeconds: end / sampleRateHz,
      tensor: logMel(fillWindow(window, size, spec.padding), spec).values,
      isLonger: false,
    };
  });
  return { windows, shape: [1, ...axes], total: all.length };
}

/**
 * Where windows of `size` begin in a sound of `length` samples: every `hop`, and a last one that
 * ends with the sound, so that each window is full and nothing is left out. `windowStarts(25, 10,
 * 5)` is [0, 5, 10, 15]; of 23: [0, 5, 10, 13].
 */
export function windowStarts(length: number, size: number, hop: number): number[] {
  const starts = [0];
  for (let start = hop; start + size < length; start += hop) starts.push(start);
  if (length > size) starts.push(length - size);
  return starts;
}

/**
 * Fills a window with a shorter sound. `repeatpad`: floor(size / n) whole copies, then zeros; a
 * sound that divides the window exactly fills it (transformers.js leaves the last copy out).
 * `repeat`: copies to the end, the last one cut. `pad`: one copy, then zeros. Source: transformers
 * 5.23, feature_extraction_clap.py, _get_input_mel.
 */
export function fillWindow(
  samples: Float32Array,
  size: number,
  padding: AudioPreprocess["padding"],
): Float32Array {
  if (samples.length >= size) return samples.subarray(0, size);
  const window = new Float32Array(size);
  const end = { repeat: size, repeatpad: size - (size % samples.length), pad: samples.length }[
    padding
  ];
  for (let at = 0; at < end; at += samples.length)
    window.set(samples.subarray(0, Math.min(samples.length, end - at)), at);
  return window;
}

/**
 * Fused CLAP's view of a sound: [whole shrunk to a window, front, middle, back], each log-mel
 * [frames, mels].
 *
 * The reference takes the three windows at random places of the thirds of the sound; here they
 * start at the middle of each third, always. A sound of up to a window, or one that gives no more
 * frames than a window, is the same log-mel four times and is not "longer" (the reference marks a
 * random one of the batch as longer, so that its numbers depend on the neighbours). Source:
 * transformers 5.23, feature_extraction_clap.py, _random_mel_fusion and __call__.
 */
function fusionStack(sound: ResampledSound, size: number, spec: AudioPreprocess) {
  const { count } = spec.mel;
  const windowFrames = 1 + Math.floor(size / spec.hopLength);
  const tensor = new Float32Array(4 * windowFrames * count);
  const view = (i: number) =>
    tensor.subarray(i * windowFrames * count, (i + 1) * windowFrames * count);
  const frames = 1 + Math.floor((sound.length - (spec.preEmphasis === 0 ? 0 : 1)) / spec.hopLength);
  if (frames <= windowFrames) {
    const sampleRange = sound.part(0, sound.length);
    const samples =
      sampleRange.length > size ? sampleRange : fillWindow(sampleRange, size, spec.padding);
    const values = logMel(samples, spec).values.subarray(0, windowFrames * count);
    for (let i = 0; i < 4; i++) view(i).set(values);
    return { tensor, isLonger: false };
  }
  const places = shrinkingPlaces(frames, windowFrames);
  const starts = thirds(frames - windowFrames + 1);
  const wanted = new Set<number>(places.flatMap(({ left, right }) => [left, right]));
  for (const start of starts) for (let f = 0; f < windowFrames; f++) wanted.add(start + f);
  const frame = framesOf(sound, [...wanted], spec);
  for (const [f, { left, right, share }] of places.entries()) {
    const [a, b] = [frame(left), frame(right)];
    for (let m = 0; m < count; m++) tensor[f * count + m] = (1 - share) * a[m] + share * b[m];
  }
  for (const [i, start] of starts.entries())
    for (let f = 0; f < windowFrames; f++) view(i + 1).set(frame(start + f), f * count);
  return { tensor, isLonger: true };
}

/** A sound at the model's rate, readable in parts. */
interface ResampledSound {
  length: number;
  part: (start: number, end: number) => Float32Array;
}

/**
 * Some frames of a sound's log-mel spectrogram. Only the samples they need are resampled: an hour
 * needs a few thousand frames, and the whole would take gigabytes.
 */
function framesOf(
  sound: ResampledSound,
  wanted: number[],
  spec: AudioPreprocess,
): (frame: number) => Float32Array {
  const { fftSize, hopLength, mel } = spec;
  /** Frames beside one whose samples it shares. */
  const reach = Math.ceil(fftSize / 2 / hopLength);
  const rows = new Map<number, Float32Array>();
  const sorted = wanted.sort((a, b) => a - b);
  for (let from = 0; from < sorted.length; ) {
    let to = from + 1; // frames between those of a run cost less than a run of their own
    while (to < sorted.length && sorted[to] - sorted[to - 1] <= 2 * reach) to++;
    const first = Math.max(0, sorted[from] - reach);
    // Two more: pre-emphasis takes one
    const end = Math.min(sound.length, (sorted[to - 1] + reach) * hopLength + 2);
    const { values } = logMel(sound.part(first * hopLength, end), spec);
    for (; from < to; from++) {
      const at = (sorted[from] - first) * mel.count;
      rows.set(sorted[from], values.slice(at, at + mel.count));
    }
  }
  return (frame) => rows.get(frame)!;
}

/**
 * The middle position of each third of 0..n-1, split as numpy.array_split does; an empty third
 * starts at 0.
 */
function thirds(n: number): number[] {
  let start = 0;
  return [0, 1, 2].map((i) => {
    const length = Math.floor(n / 3) + (i < n % 3 ? 1 : 0);
    const middle = length === 0 ? 0 : start + Math.floor(length / 2);
    start += length;
    return middle;
  });
}

/**
 * The position of each of `outFrames` frames between two of `frames`: bilinear interpolation
 * without aligned corners or anti-aliasing. Positions are rounded to float32 as torch's interpolate
 * does: between steep frames that is up to .006 dB.
 */
function shrinkingPlaces(frames: number, outFrames: number) {
  const scale = Math.fround(frames / outFrames);
  return Array.from({ length: outFrames }, (_, f) => {
    const x = Math.max(0, Math.fround(Math.fround(scale * (f + 0.5)) - 0.5));
    const left = Math.floor(x);
    const right = Math.min(left + 1, frames - 1);
    return { left, right, share: Math.fround(x - left) };
  });
}
