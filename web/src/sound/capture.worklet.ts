/** What an AudioWorkletGlobalScope has; TypeScript's libraries do not describe it. */
declare class AudioWorkletProcessor {
  readonly port: MessagePort;
}
declare function registerProcessor(name: string, processor: typeof AudioWorkletProcessor): void;

/** Samples of a message: a block of 128 is too small to post each. */
const chunkSamples = 4096;

/** Hands on the samples of its first channel. */
class Capture extends AudioWorkletProcessor {
  #chunk = new Float32Array(chunkSamples);
  #filled = 0;

  process([channels]: Float32Array[][]): boolean {
    const block = channels[0];
    if (block === undefined) return true;
    this.#chunk.set(block, this.#filled);
    this.#filled += block.length;
    if (this.#filled === chunkSamples) {
      this.port.postMessage(this.#chunk, [this.#chunk.buffer]);
      this.#chunk = new Float32Array(chunkSamples);
      this.#filled = 0;
    }
    return true;
  }
}

registerProcessor("capture", Capture);
