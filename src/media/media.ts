import type { DecodedAudio, DecodedImage, HeldAudio, HeldImage } from "../encoders/encoder.js";
import type { CallOptions, MediaTensors } from "../encoders/preprocess/media-tensors.js";
import type { AudioLimits } from "./audio/mono-collector.js";

/** A small picture of media, for lists. */
interface MediaPicture {
  mediaType: string;
  bytes: Uint8Array;
}

/**
 * Decodes and preprocesses media where it can neither block the event loop nor outlive its limits.
 * Pixels and samples stay where they were decoded; only tensors come back. Pictures and sounds that
 * are already in memory are accepted too.
 */
export interface Media extends MediaTensors {
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
  thumbnail(image: HeldImage | DecodedImage, options?: CallOptions): Promise<MediaPicture>;
  waveform(audio: HeldAudio | DecodedAudio, options?: CallOptions): Promise<MediaPicture>;
  /** Its processes now: how many run, work on a call, and calls that wait for one. */
  usage(): { processes: number; busy: number; waiting: number };
  close(): Promise<void>;
}
