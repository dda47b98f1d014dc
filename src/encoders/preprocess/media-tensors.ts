import type { DecodedAudio, DecodedImage, HeldAudio, HeldImage } from "../encoder.js";
import type { AudioPreprocess, ImagePreprocess } from "../manifest.js";

/** The input of an audio tower for one window of a sound. */
export interface AudioWindowTensor {
  startSeconds: number;
  endSeconds: number;
  tensor: Float32Array;
  /**
   * Fused CLAP's second input: the sound is longer than the window and `tensor` holds its four
   * views.
   */
  isLonger: boolean;
}

/** All windows of a sound, or the requested ones; `shape` is that of each `tensor`. */
export interface AudioTensors {
  windows: AudioWindowTensor[];
  shape: number[];
  /** Windows of the whole sound. */
  total: number;
}

/**
 * Which windows of a sound: `count` of them from `start` on. An hour of sound has 720 windows of
 * 256 kB each.
 */
export interface WindowRange {
  start: number;
  count: number;
}

export interface CallOptions {
  /** When it aborts, the caller has gone: waiting calls are dropped, running ones are stopped. */
  signal?: AbortSignal;
}

/** Turns decoded media into the tensors that towers take. */
export interface MediaTensors {
  /**
   * @returns the picture resized and cropped, [side, side, 3]; the image tower's numbers are those
   *   of `pixelTables`.
   */
  imagePixels(
    image: HeldImage | DecodedImage,
    spec: ImagePreprocess,
    options?: CallOptions,
  ): Promise<Uint8Array<ArrayBuffer>>;
  /** @returns the audio tower's inputs, one for each window. */
  audioTensors(
    audio: HeldAudio | DecodedAudio,
    spec: AudioPreprocess,
    options?: CallOptions & { range?: WindowRange },
  ): Promise<AudioTensors>;
}
