import type { DecodedAudio, DecodedImage, HeldAudio, HeldImage } from "../encoders/encoder.js";
import type { AudioPreprocess, ImagePreprocess } from "../encoders/manifest.js";
import type { AudioLimits } from "./audio/mono-collector.js";

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

/** The windows of a sound, or those asked for; `shape` is that of each `tensor`. */
export interface AudioTensors {
  windows: AudioWindowTensor[];
  shape: number[];
  /** Windows of the whole sound. */
  total: number;
}

/**
 * Which windows of a sound: `count` of them from `start` on. An hour of sound has 720, of 256 kB
 * each.
 */
export interface WindowRange {
  start: number;
  count: number;
}

export interface CallOptions {
  /**
   * Whoever asked has gone when it aborts: what waits is dropped, and what is under way is ended.
   */
  signal?: AbortSignal;
}

/** A small picture of media, for lists. */
export interface MediaPicture {
  mediaType: string;
  bytes: Uint8Array;
}

/**
 * Decodes and preprocesses media where it can neither block the event loop nor outlive its limits.
 * Pixels and samples stay where they were decoded; only tensors come back. Pictures and sounds that
 * are in memory already are taken too.
 */
export interface Media {
  /**
   * @throws AppError as src/media/image/decode-image.ts; `too_large` for one that takes too much
   * memory or time.
   */
  decodeImage(
    bytes: Uint8Array,
    limits: { maxPixels: number },
    options?: CallOptions,
  ): Promise<HeldImage>;
  /**
   * @throws AppError as src/media/audio/decode-audio.ts; `too_large` for one that takes too much
   * memory or time.
   */
  decodeAudio(bytes: Uint8Array, limits: AudioLimits, options?: CallOptions): Promise<HeldAudio>;
  /**
   * @param options  `into`: where to put it, in a batch say.
   * @returns the image tower's input, [3, H, W].
   */
  imageTensor(
    image: HeldImage | DecodedImage,
    spec: ImagePreprocess,
    options?: CallOptions & { into?: Float32Array },
  ): Promise<Float32Array>;
  /** @returns the audio tower's inputs, one for each window. */
  audioTensors(
    audio: HeldAudio | DecodedAudio,
    spec: AudioPreprocess,
    options?: CallOptions & { range?: WindowRange },
  ): Promise<AudioTensors>;
  thumbnail(image: HeldImage | DecodedImage, options?: CallOptions): Promise<MediaPicture>;
  waveform(audio: HeldAudio | DecodedAudio, options?: CallOptions): Promise<MediaPicture>;
  close(): Promise<void>;
}
