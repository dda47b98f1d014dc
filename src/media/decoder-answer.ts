import { z } from "zod";
import { imageSide } from "../encoders/manifest.js";
import { AppError } from "../errors.js";
import type { DecoderCall, DecoderReply } from "./serve-decoding.js";

// A file may have taken over its decoder. Answers are only accepted with the form and size that the
// call asked for; wrong pixels and samples a file can have without any such trick.

/** Lists show it unchanged: only types that cannot run scripts. */
const maxPreviewBytes = 2 ** 20;

const Count = z.int().min(0);
const Seconds = z.number().min(0);
const shared = {
  contentHash: z.string().regex(/^[0-9a-f]{64}$/),
  warnings: z.array(z.string().max(2000)).max(1000).optional(),
};
const Image = z.strictObject({ width: z.int().min(1), height: z.int().min(1), ...shared });
const Audio = z.strictObject({
  sampleRateHz: z.number().positive(),
  sampleCount: Count,
  ...shared,
});
const Windows = z.strictObject({
  windows: z.array(
    z.strictObject({ startSeconds: Seconds, endSeconds: Seconds, isLonger: z.boolean() }),
  ),
  shape: z.array(z.int().min(1)).length(3),
  total: z.int().min(1),
});
const Preview = z.strictObject({ mediaType: z.enum(["image/webp", "image/svg+xml"]) });

/**
 * Whether a decoding process's answer fits the call: its fields, the sizes of its buffers, finite
 * numbers.
 */
export function isAnswerTo(
  call: DecoderCall,
  value: unknown,
  buffers: readonly Uint8Array<ArrayBuffer>[],
): boolean {
  switch (call.method) {
    case "decodeImage": {
      const { data } = Image.safeParse(value);
      return (
        data !== undefined &&
        buffers.length === 0 &&
        data.width * data.height <= call.limits.maxPixels
      );
    }
    case "decodeAudio": {
      const { data } = Audio.safeParse(value);
      return data !== undefined && buffers.length === 0;
    }
    case "imagePixels":
      return (
        value === null &&
        buffers.length === 1 &&
        buffers[0].length === 3 * imageSide(call.spec) ** 2
      );
    case "audioTensors": {
      const { data } = Windows.safeParse(value);
      if (data === undefined) return false;
      const { windows, shape, total } = data;
      const maxCount = Math.min(call.range?.count ?? total, total);
      const [channels, ...axes] = shape;
      const isShape = channels === (call.spec.longer === "fusion" ? 4 : 1);
      const byteLength = 4 * channels * axes[0] * axes[1];
      return (
        isShape &&
        axes.includes(call.spec.mel.count) &&
        windows.length <= maxCount &&
        buffers.length === windows.length &&
        buffers.every((buffer) => buffer.length === byteLength && isAllFinite(buffer))
      );
    }
    case "thumbnail":
    case "waveform":
      return (
        Preview.safeParse(value).success &&
        buffers.length === 1 &&
        buffers[0].length <= maxPreviewBytes
      );
  }
}

function isAllFinite({ buffer }: Uint8Array<ArrayBuffer>): boolean {
  const numbers = new Float32Array(buffer);
  let sum = 0;
  // NaN if any is not finite. An iterator takes ten times as long: .8 ms for a window.
  for (let i = 0; i < numbers.length; i++) sum += numbers[i] - numbers[i];
  return sum === 0;
}

/** The error that a decoding process describes. */
export function revive({
  name,
  message,
  code,
  param,
}: Extract<DecoderReply, { error: unknown }>["error"]) {
  if (name === "AppError" && code !== undefined) return new AppError(code, message, { param });
  return name === "RangeError" ? new RangeError(message) : new Error(message);
}
