import type { DecodedAudio } from "../../encoders/encoder.js";
import { AppError } from "../../errors.js";

/** PCM as a WAV file holds it: interleaved channels. */
export interface PcmAudio {
  sampleRateHz: number;
  channels: number;
  /** Whole frames only. */
  frames: number;
  /** Where the first sample lies in the file, and how many bytes a frame has. */
  dataStart: number;
  frameBytes: number;
  /** The sample of a channel in a frame, in [-1, 1] for integers, as stored for floats. */
  sampleAt(frame: number, channel: number): number;
}

const pcm = 1;
const ieeeFloat = 3;
const extensible = 0xfffe;

/**
 * Reads a WAV file: PCM of 8, 16, 24 or 32 bits, float of 32 or 64, WAVE_FORMAT_EXTENSIBLE (what modern recorders write),
 * chunks in any order, RF64. A data chunk that claims more than there is (a recorder that lost power, a stream) is read to
 * the end of the file.
 *
 * @throws AppError `undecodable_media` when there is no usable format or data chunk, `unsupported_media` for compressed WAV.
 */
export function readWav(bytes: Uint8Array): PcmAudio {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let format: { tag: number; channels: number; sampleRateHz: number; bits: number } | undefined;
  /** RF64 gives the length of the data in a chunk of its own. Source: EBU Tech 3306. */
  let longSize: number | undefined;
  for (let at = 12; at + 8 <= bytes.length; ) {
    const id = String.fromCharCode(...bytes.subarray(at, at + 4));
    const size = view.getUint32(at + 4, true);
    const body = at + 8;
    if (id === "fmt " && size >= 16 && body + 16 <= bytes.length) {
      let tag = view.getUint16(body, true);
      // The real tag of an extensible header is the start of its sub-format GUID.
      if (tag === extensible && size >= 26 && body + 26 <= bytes.length)
        tag = view.getUint16(body + 24, true);
      const channels = view.getUint16(body + 2, true);
      const sampleRateHz = view.getUint32(body + 4, true);
      const blockAlign = view.getUint16(body + 12, true);
      // The container's size counts: 20-bit samples lie in 24.
      const bits = channels > 0 ? (blockAlign / channels) * 8 : 0;
      format = { tag, channels, sampleRateHz, bits };
    } else if (id === "ds64" && size >= 16 && body + 16 <= bytes.length) {
      longSize = Number(view.getBigUint64(body + 8, true));
    } else if (id === "data") {
      if (format === undefined) throw broken("it has no format before its data");
      const claimed = size === 0xffffffff && longSize !== undefined ? longSize : size;
      return samplesOf(view, body, Math.min(claimed, bytes.length - body), format);
    }
    at = body + size + (size % 2);
  }
  throw broken(format === undefined ? "it has no format chunk" : "it has no data chunk");
}

function samplesOf(
  view: DataView,
  start: number,
  length: number,
  {
    tag,
    channels,
    sampleRateHz,
    bits,
  }: { tag: number; channels: number; sampleRateHz: number; bits: number },
): PcmAudio {
  const bytes = bits / 8;
  const reader = readers[`${tag}/${bits}`];
  if (reader === undefined) {
    if (tag !== pcm && tag !== ieeeFloat) {
      throw new AppError(
        "unsupported_media",
        `The WAV file is compressed (format ${tag}); expected PCM or float samples`,
        { param: "audio" },
      );
    }
    throw broken(`its samples have ${bits} bits`);
  }
  if (sampleRateHz === 0) throw broken("its sample rate is 0 Hz");
  return {
    sampleRateHz,
    channels,
    frames: Math.floor(length / (channels * bytes)),
    dataStart: start,
    frameBytes: channels * bytes,
    sampleAt: (frame, channel) => reader(view, start + (frame * channels + channel) * bytes),
  };
}

/** Mono as librosa mixes it: the mean of the channels. */
export function meanOfChannels({
  sampleRateHz,
  channels,
  frames,
  sampleAt,
}: PcmAudio): DecodedAudio {
  const samples = new Float32Array(frames);
  for (let frame = 0; frame < frames; frame++) {
    let sum = 0;
    for (let channel = 0; channel < channels; channel++) sum += sampleAt(frame, channel);
    samples[frame] = sum / channels;
  }
  return { sampleRateHz, samples };
}

const readers: Record<string, (view: DataView, at: number) => number> = {
  [`${pcm}/8`]: (view, at) => (view.getUint8(at) - 128) / 128,
  [`${pcm}/16`]: (view, at) => view.getInt16(at, true) / 32768,
  [`${pcm}/24`]: (view, at) => ((view.getInt8(at + 2) << 16) | view.getUint16(at, true)) / 8388608,
  [`${pcm}/32`]: (view, at) => view.getInt32(at, true) / 2147483648,
  [`${ieeeFloat}/32`]: (view, at) => view.getFloat32(at, true),
  [`${ieeeFloat}/64`]: (view, at) => view.getFloat64(at, true),
};

const broken = (why: string) =>
  new AppError("undecodable_media", `The WAV file cannot be read: ${why}`, { param: "audio" });
