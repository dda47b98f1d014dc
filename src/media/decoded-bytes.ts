import { withoutTags } from "./audio/tags.js";
import { pictureSize } from "./picture-size.js";
import { soundSize } from "./sound-size.js";

export interface DecodeLimits {
  maxImagePixels: number;
  maxAudioSeconds: number;
}

/**
 * Three that are kept, and up to five more in the decoder: its picture and its coefficients.
 */
const bytesPerPixel = 8;
/** A mono float32 sample, twice: in the decoder and handed on. */
const bytesPerSample = 8;
/** Resampled to 48 kHz, and the log-mel spectrograms of the windows. */
const bytesPerSecond = 48_000 * 4 + 52_000;
/** For a container that does not say: 64 kbit/s at 48 kHz. */
const unknown = { samplesPerByte: 6, sampleRateHz: 48_000 };
/** Padding before a sound that is looked through. */
const maxPaddingBytes = 1 << 16;

/**
 * Most memory that a file takes while it is decoded and prepared for its model: from its header
 * alone, cheap and bounded whatever the bytes are. The header is trusted up to the limits, beyond
 * which decoders refuse. A picture without a known header counts as one at the limit.
 *
 * @param length  of the file, where `bytes` are only its beginning.
 */
export function decodedBytes(
  bytes: Uint8Array,
  modality: "image" | "audio",
  { maxImagePixels, maxAudioSeconds }: DecodeLimits,
  length = bytes.length,
): number {
  if (modality === "image") {
    const size = pictureSize(bytes);
    const pixels = size === undefined ? maxImagePixels : size.width * size.height;
    return bytesPerPixel * Math.min(pixels, maxImagePixels);
  }
  const sound = withoutTags(bytes, maxPaddingBytes);
  const tags = bytes.length - sound.length;
  const { frames, sampleRateHz } = soundSize(sound, length - tags) ?? {
    frames: unknown.samplesPerByte * length,
    sampleRateHz: unknown.sampleRateHz,
  };
  const rate = Math.max(1, sampleRateHz);
  const seconds = Math.min(frames / rate, maxAudioSeconds);
  return Math.ceil(seconds * (rate * bytesPerSample + bytesPerSecond));
}
