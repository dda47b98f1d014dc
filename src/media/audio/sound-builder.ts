import { resample } from "../../encoders/preprocess/resample.js";
import { bridgeGap, joined } from "./bridge-gap.js";
import { type AudioLimits, checkLength, MonoCollector } from "./mono-collector.js";

/** Frames of silence added at once. */
const silence = new Float32Array(4096);

/** The longest gap that is filled in: a frame or two. More would be invented sound. */
const longestBridgeSeconds = 0.2;

interface Part {
  collector: MonoCollector;
  sampleRateHz: number;
  frames: number;
  /** Where silence replaces lost sound. */
  gaps: { start: number; length: number }[];
  /** Frames at its end that do not count; nothing more is added to the part. */
  removed: number;
}

/**
 * Builds a sound from decoded pieces. Joined files may change the rate: a piece of another rate
 * starts a new part, and `finish` resamples all parts to the highest rate. The limits apply to the
 * whole.
 */
export class SoundBuilder {
  readonly limits: AudioLimits;
  readonly #parts: Part[] = [];

  constructor(limits: AudioLimits) {
    this.limits = limits;
  }

  /** Seconds so far. */
  get seconds(): number {
    return this.#parts.reduce((sum, { frames, sampleRateHz }) => sum + frames / sampleRateHz, 0);
  }

  /**
   * @param channels  of a piece; their mean is kept, from the frame `from` on.
   * @throws AppError as `checkLength`, as soon as the sound is longer than allowed.
   */
  add(channels: readonly Float32Array[], frames: number, sampleRateHz: number, from = 0): void {
    if (frames <= 0 || channels.length === 0) return;
    this.expect(frames, channels.length, sampleRateHz);
    let part = this.#parts.at(-1);
    if (part?.sampleRateHz !== sampleRateHz || part.removed > 0) {
      part = {
        collector: new MonoCollector(this.limits),
        sampleRateHz,
        frames: 0,
        gaps: [],
        removed: 0,
      };
      this.#parts.push(part);
    }
    const pieces = from === 0 ? channels : channels.map((channel) => channel.subarray(from));
    part.collector.add(pieces, frames, sampleRateHz);
    part.frames += frames;
  }

  /** @throws AppError as `checkLength` when this many more frames would be too many. */
  expect(frames: number, channels: number, sampleRateHz: number): void {
    const before = Math.round(this.seconds * sampleRateHz);
    checkLength({ frames: before + frames, channels, sampleRateHz }, this.limits);
  }

  /**
   * The same before anything is decoded: a few kilobytes can be hours, and take as long to refuse.
   * @param parts  samples of one channel each, at a rate.
   */
  expectAll(parts: Iterable<{ samples: number; sampleRateHz: number }>, channels: number): void {
    let [seconds, highestHz] = [0, 0];
    for (const { samples, sampleRateHz } of parts) {
      seconds += samples / sampleRateHz;
      highestHz = Math.max(highestHz, sampleRateHz);
    }
    if (seconds > 0) this.expect(Math.round(seconds * highestHz), channels, highestHz);
  }

  /** Replaces lost sound: by silence, or for a short gap by the sound around it. */
  addSilence(frames: number, sampleRateHz: number): void {
    const before = this.#parts.at(-1);
    const isNew = before?.sampleRateHz !== sampleRateHz || before.removed > 0;
    const start = isNew ? 0 : before.frames;
    for (let left = frames; left > 0; left -= silence.length)
      this.add([silence], Math.min(left, silence.length), sampleRateHz);
    if (frames > 0) this.#parts.at(-1)?.gaps.push({ start, length: frames });
  }

  /** Removes frames from the end: an encoder's padding. */
  removeLast(frames: number): void {
    const part = this.#parts.at(-1);
    if (part === undefined || frames <= 0) return;
    const removed = Math.min(frames, part.frames);
    part.removed += removed;
    part.frames -= removed;
  }

  /** @returns mono; without samples when nothing was added. */
  finish(): { sampleRateHz: number; samples: Float32Array } {
    const parts = this.#parts.filter(({ frames }) => frames > 0);
    const sampleRateHz = Math.max(0, ...parts.map((part) => part.sampleRateHz));
    const frames = Math.ceil(this.seconds * sampleRateHz);
    if (parts.length > 1) checkLength({ frames, channels: 1, sampleRateHz }, this.limits);
    const pieces = parts.map((part) => {
      const samples = part.collector.finish().samples.subarray(0, part.frames);
      for (const gap of joined(part.gaps))
        if (gap.length <= longestBridgeSeconds * part.sampleRateHz) bridgeGap(samples, gap);
      return resample(samples, part.sampleRateHz, sampleRateHz);
    });
    if (pieces.length === 1) return { sampleRateHz, samples: pieces[0] };
    const samples = new Float32Array(pieces.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const piece of pieces) {
      samples.set(piece, at);
      at += piece.length;
    }
    return { sampleRateHz, samples };
  }
}
