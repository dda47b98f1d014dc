import { AppError } from "../../errors.js";

/** Gathers decoded pieces as mono: the mean of the channels (librosa's mix; sum·√½ would be 3 dB louder). */
export class MonoCollector {
  readonly #maxSeconds: number;
  #samples = new Float32Array(0);
  #length = 0;
  #sampleRateHz = 0;

  /** @param maxSeconds  where to stop: a small file can hold days of silence. */
  constructor(maxSeconds: number) {
    this.#maxSeconds = maxSeconds;
  }

  /** @throws AppError `too_large` as soon as the sound is longer than allowed. */
  add(channels: readonly Float32Array[], frames: number, sampleRateHz: number): void {
    if (frames === 0 || channels.length === 0) return;
    this.#sampleRateHz = sampleRateHz;
    const start = this.#length;
    this.#length += frames;
    checkSeconds(this.#length / sampleRateHz, this.#maxSeconds);
    if (this.#length > this.#samples.length) {
      const grown = new Float32Array(Math.max(this.#length, Math.ceil(1.5 * this.#samples.length)));
      grown.set(this.#samples.subarray(0, start));
      this.#samples = grown;
    }
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
}

export function checkSeconds(seconds: number, maxSeconds: number): void {
  if (seconds <= maxSeconds) return;
  const message = `The sound is longer than ${maxSeconds} seconds (option maxAudioSeconds)`;
  throw new AppError("too_large", message, { param: "audio" });
}
