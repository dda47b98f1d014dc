import { AppError } from "../../errors.js";

/** Gathers decoded pieces as mono: the mean of the channels (librosa's mix; sum·√½ would be 3 dB louder). */
export class MonoCollector {
  readonly #maxSeconds: number;
  readonly #pieces: Float32Array[] = [];
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
    this.#length += frames;
    checkSeconds(this.#length / sampleRateHz, this.#maxSeconds);
    const mono = new Float32Array(frames);
    for (let i = 0; i < frames; i++) {
      let sum = 0;
      for (const channel of channels) sum += channel[i];
      mono[i] = sum / channels.length;
    }
    this.#pieces.push(mono);
  }

  finish(): { sampleRateHz: number; samples: Float32Array } {
    const samples = new Float32Array(this.#length);
    let at = 0;
    for (const piece of this.#pieces) {
      samples.set(piece, at);
      at += piece.length;
    }
    return { sampleRateHz: this.#sampleRateHz, samples };
  }
}

export function checkSeconds(seconds: number, maxSeconds: number): void {
  if (seconds <= maxSeconds) return;
  const message = `The sound is longer than ${maxSeconds} seconds (option maxAudioSeconds)`;
  throw new AppError("too_large", message, { param: "audio" });
}
