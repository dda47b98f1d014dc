import { AppError } from "../../errors.js";

/** How long a sound may be. */
export interface AudioLimits {
  maxSeconds: number;
  /**
   * Of one channel; more than eight channels count in proportion. Default: `defaultMaxSamples`.
   */
  maxSamples?: number;
}

/**
 * An hour at 48 kHz, 691 MB as float32. Seconds alone bound nothing: a FLAC of 100 kB may hold 10
 * minutes at 655 kHz.
 */
export const defaultMaxSamples = 172_800_000;

const lowestRateHz = 1000;
const highestRateHz = 768_000;

/** Largest buffer that is copied to grow; beyond it memory grows in place. */
const maxCopiedSamples = 1 << 22;
const pageBytes = 65_536;

interface GrowingMemory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): void;
}
/** Missing from the types of Node 20. */
const { Memory } = Reflect.get(globalThis, "WebAssembly") as {
  Memory: new (size: { initial: number; maximum: number }) => GrowingMemory;
};

/**
 * Collects decoded pieces as mono: the mean of the channels (librosa's mix; sum·√½ would be 3 dB
 * louder).
 */
export class MonoCollector {
  readonly #limits: AudioLimits;
  #samples = new Float32Array(0);
  #memory: GrowingMemory | undefined;
  #length = 0;
  #sampleRateHz = 0;

  /** @param limits  where to stop: a small file can hold days of silence. */
  constructor(limits: AudioLimits) {
    this.#limits = limits;
  }

  /**
   * @throws AppError `too_large` as soon as the sound is longer than allowed, `unsupported_media`
   * for an odd rate.
   */
  add(channels: readonly Float32Array[], frames: number, sampleRateHz: number): void {
    if (frames === 0 || channels.length === 0) return;
    this.#sampleRateHz = sampleRateHz;
    const start = this.#length;
    this.#length += frames;
    checkLength({ frames: this.#length, channels: channels.length, sampleRateHz }, this.#limits);
    if (this.#length > this.#samples.length) this.#grow(start);
    const samples = this.#samples;
    for (let i = 0; i < frames; i++) {
      let sum = 0;
      for (const channel of channels) sum += channel[i];
      samples[start + i] = sum / channels.length;
    }
  }

  finish(): { sampleRateHz: number; samples: Float32Array } {
    return { sampleRateHz: this.#sampleRateHz, samples: this.#samples.subarray(0, this.#length) };
  }

  /**
   * Room for `#length` samples and some more. A long sound is kept in WebAssembly memory, the only
   * kind that JavaScript can enlarge without copying (growing an hour at 48 kHz by copying takes
   * 1.4 GB) and read at full speed (a resizable ArrayBuffer is four times as slow).
   */
  #grow(filled: number): void {
    const { maxSamples = defaultMaxSamples } = this.#limits;
    const enough = Math.max(this.#length, Math.min(Math.ceil(1.5 * filled), maxSamples));
    if (enough <= maxCopiedSamples) {
      const grown = new Float32Array(enough);
      grown.set(this.#samples.subarray(0, filled));
      this.#samples = grown;
      return;
    }
    const pages = Math.ceil((4 * enough) / pageBytes);
    if (this.#memory === undefined) {
      const maximum = Math.max(pages, Math.ceil((4 * maxSamples) / pageBytes));
      this.#memory = new Memory({ initial: pages, maximum });
      new Float32Array(this.#memory.buffer).set(this.#samples.subarray(0, filled));
    } else {
      this.#memory.grow(pages - this.#memory.buffer.byteLength / pageBytes);
    }
    this.#samples = new Float32Array(this.#memory.buffer);
  }
}

/**
 * @throws AppError `too_large` naming the option, `unsupported_media` for an implausible rate.
 */
export function checkLength(
  { frames, channels, sampleRateHz }: { frames: number; channels: number; sampleRateHz: number },
  { maxSeconds, maxSamples = defaultMaxSamples }: AudioLimits,
): void {
  // Some headers can claim 4 GHz.
  if (!(sampleRateHz >= lowestRateHz && sampleRateHz <= highestRateHz)) {
    const message =
      `The sound's rate is ${sampleRateHz} Hz; expected ` + `${lowestRateHz} to ${highestRateHz}`;
    throw new AppError("unsupported_media", message, { param: "audio" });
  }
  const tooLong = (limit: string) =>
    new AppError("too_large", `The sound is longer than ${limit}`, { param: "audio" });
  if (frames / sampleRateHz > maxSeconds)
    throw tooLong(`${maxSeconds} seconds (option maxAudioSeconds)`);
  if (frames * Math.max(1, channels / 8) > maxSamples)
    throw tooLong(`${maxSamples} samples (option maxAudioSamples)`);
}
