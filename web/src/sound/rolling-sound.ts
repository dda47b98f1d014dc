import { logMel } from "../../../src/encoders/preprocess/log-mel.js";
import { melBands, melSpec } from "./mel-spec.js";

/** Frames a second of the spectrogram. */
const framesPerSecond = 50;

/** The last seconds of a continuing sound, with its spectrogram. */
export class RollingSound {
  readonly sampleRateHz: number;
  readonly #samples: Float32Array;
  readonly #mel: Float32Array;
  readonly #hop: number;
  readonly #frames: number;
  /** Samples and frames received so far; each goes to its place modulo the length. */
  #came = 0;
  #framesCame = 0;
  #rest = new Float32Array(0);

  constructor(sampleRateHz: number, seconds: number) {
    this.sampleRateHz = sampleRateHz;
    this.#samples = new Float32Array(Math.round(seconds * sampleRateHz));
    this.#frames = seconds * framesPerSecond;
    this.#mel = new Float32Array(this.#frames * melBands).fill(silenceDb);
    this.#hop = Math.round(sampleRateHz / framesPerSecond);
  }

  /** Length of everything received. */
  get seconds(): number {
    return this.#came / this.sampleRateHz;
  }

  push(chunk: Float32Array): void {
    for (const sample of chunk) this.#samples[this.#came++ % this.#samples.length] = sample;
    const samples = new Float32Array(this.#rest.length + chunk.length);
    samples.set(this.#rest);
    samples.set(chunk, this.#rest.length);
    const spec = melSpec(this.sampleRateHz, this.#hop);
    if (samples.length < spec.fftSize) {
      this.#rest = samples;
      return;
    }
    const count = Math.floor(samples.length / this.#hop);
    const { values } = logMel(samples, spec);
    for (let frame = 0; frame < count; frame++) {
      const from = values.subarray(frame * melBands, (frame + 1) * melBands);
      this.#mel.set(from, (this.#framesCame++ % this.#frames) * melBands);
    }
    this.#rest = samples.slice(count * this.#hop);
  }

  /** The last `seconds`, or as much as there is. */
  latest(seconds: number): Float32Array {
    const size = this.#samples.length;
    const count = Math.min(Math.round(seconds * this.sampleRateHz), this.#came, size);
    return Float32Array.from({ length: count }, (_, i) => {
      return this.#samples[(this.#came - count + i) % size];
    });
  }

  /** [frames, melBands], oldest first; from the left while it fills. */
  mel(): { values: Float32Array; frames: number } {
    const values = new Float32Array(this.#mel.length);
    const first = this.#framesCame < this.#frames ? 0 : this.#framesCame % this.#frames;
    values.set(this.#mel.subarray(first * melBands));
    values.set(this.#mel.subarray(0, first * melBands), (this.#frames - first) * melBands);
    return { values, frames: this.#frames };
  }
}

const silenceDb = -100;
