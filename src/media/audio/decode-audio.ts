import { FLACDecoder } from "@wasm-audio-decoders/flac";
import { OggVorbisDecoder } from "@wasm-audio-decoders/ogg-vorbis";
import { ALL_FORMATS, BufferSource, EncodedPacketSink, Input } from "mediabunny";
import { MPEGDecoder } from "mpg123-decoder";
import { OpusDecoder } from "opus-decoder";
import type { DecodedAudio } from "../../encoders/encoder.js";
import { AppError } from "../../errors.js";
import { sniffFormat } from "../sniff.js";
import { decodeWithFfmpeg } from "./ffmpeg.js";
import { type AudioLimits, checkLength, MonoCollector } from "./mono-collector.js";
import { meanOfChannels, readWav } from "./wav.js";

/** Bytes fed to a decoder at once: what they expand to stays small enough to check before going on. */
const chunkBytes = 4096;

/**
 * The bytes of a sound file -> mono samples at the file's own rate. The format is told by the content: WAV, FLAC, MP3, Ogg
 * Vorbis, Ogg Opus; M4A, AAC, WebM, AIFF and FLAC of other than 8, 16 or 24 bits where ffmpeg is installed.
 *
 * @throws AppError `invalid_input` (no samples, or not finite), `unsupported_media` (not a sound format or rate known here),
 *   `undecodable_media` (corrupt), `too_large` (longer than the limits).
 */
export async function decodeAudio(bytes: Uint8Array, limits: AudioLimits): Promise<DecodedAudio> {
  const decoded = await decodeFormat(bytes, limits).catch((error) => {
    if (error instanceof AppError) throw error;
    throw new AppError("undecodable_media", "The sound file is corrupt", {
      param: "audio",
      cause: error,
    });
  });
  if (decoded.samples.length === 0) {
    throw new AppError("invalid_input", "The sound file holds no samples", { param: "audio" });
  }
  const { samples } = decoded;
  for (let i = 0; i < samples.length; i++) {
    if (Number.isFinite(samples[i])) continue;
    throw new AppError("invalid_input", `Sample ${i} of the sound is not a number`, {
      param: "audio",
    });
  }
  return decoded;
}

async function decodeFormat(bytes: Uint8Array, limits: AudioLimits): Promise<DecodedAudio> {
  const format = sniffFormat(bytes);
  switch (format) {
    case "wav":
      return decodeWav(bytes, limits);
    case "flac":
      return decodeFlac(bytes, limits);
    case "ogg-vorbis":
      return decodeStream(OggVorbisDecoder, bytes, limits);
    case "mp3":
      return decodeStream(MPEGDecoder, bytes, limits);
    case "ogg-opus":
      return decodeOpus(bytes, limits);
    case "mp4":
      return decodeWithFfmpeg(bytes, "mov", limits);
    case "webm":
      return decodeWithFfmpeg(bytes, "matroska", limits);
    case "aac":
    case "aiff":
      return decodeWithFfmpeg(bytes, format, limits);
    default: {
      const what =
        format === undefined
          ? "The file is of no known format"
          : `The file is a picture (${format})`;
      const message = `${what}; expected WAV, FLAC, MP3, Ogg Vorbis, Opus, M4A, AAC, WebM or AIFF`;
      throw new AppError("unsupported_media", message, { param: "audio" });
    }
  }
}

function decodeWav(bytes: Uint8Array, limits: AudioLimits): DecodedAudio {
  const pcm = readWav(bytes);
  checkLength(pcm, limits);
  return meanOfChannels(pcm);
}

interface Decoded {
  channelData: Float32Array[];
  samplesDecoded: number;
  sampleRate: number;
  bitDepth?: number;
}

/** What the WebAssembly decoders share. */
interface StreamDecoder {
  ready: Promise<void>;
  decode(bytes: Uint8Array): Decoded | Promise<Decoded>;
  flush?(): Promise<Decoded>;
  free(): void;
}

/**
 * Decoders at rest, one of a kind at most: their `flush` leaves them as new. Each new one takes WebAssembly memory, which
 * makes V8 collect its garbage: a third of the time of a short file.
 */
const idle = new Map<new () => StreamDecoder, StreamDecoder>();

async function decodeStream(
  Decoder: new () => StreamDecoder,
  bytes: Uint8Array,
  limits: AudioLimits,
  { correct, tail }: { correct?: (decoded: Decoded) => void; tail?: Uint8Array } = {},
): Promise<DecodedAudio> {
  const decoder = idle.get(Decoder) ?? new Decoder();
  idle.delete(Decoder);
  let asNew = false;
  try {
    await decoder.ready;
    const mono = new MonoCollector(limits);
    const keep = (decoded: Decoded) => {
      correct?.(decoded);
      mono.add(decoded.channelData, decoded.samplesDecoded, decoded.sampleRate);
    };
    for (let at = 0; at < bytes.length; at += chunkBytes)
      keep(await decoder.decode(bytes.subarray(at, at + chunkBytes)));
    if (tail !== undefined) keep(await decoder.decode(tail));
    if (decoder.flush !== undefined) {
      keep(await decoder.flush());
      asNew = true;
    }
    const decoded = mono.finish();
    if (decoded.samples.length > 0) return decoded;
    throw new AppError(
      "undecodable_media",
      "The file begins like a sound but none can be decoded",
      { param: "audio" },
    );
  } finally {
    if (asNew && !idle.has(Decoder)) idle.set(Decoder, decoder);
    else decoder.free();
  }
}

/** FLAC, also in Ogg. The decoder knows samples of 8, 16 and 24 bits; of others it makes infinities or nothing. */
async function decodeFlac(bytes: Uint8Array, limits: AudioLimits): Promise<DecodedAudio> {
  const marker = Buffer.from(bytes.subarray(0, 128)).indexOf("fLaC");
  // In the STREAMINFO block behind the marker: RFC 9639, section 8.2.
  const bits = (((bytes[marker + 20] & 1) << 4) | (bytes[marker + 21] >> 4)) + 1;
  if (marker >= 0 && bits > 3 && ![8, 16, 24].includes(bits)) {
    return decodeWithFfmpeg(bytes, marker === 0 ? "flac" : "ogg", limits);
  }
  return decodeStream(FLACDecoder, bytes, limits, { correct: rescaleFlac, tail: flacTail });
}

/** The decoder's parser overlooks a last frame of 13 bytes, which is what silence takes, unless something follows. */
const flacTail = new Uint8Array(16);

/** The decoder divides by 2^(bits-1) - 1; libsndfile, soundfile and librosa by 2^(bits-1). */
function rescaleFlac({ channelData, samplesDecoded, bitDepth = 16 }: Decoded): void {
  const most = 2 ** (bitDepth - 1) - 1;
  const unit = 2 ** (1 - bitDepth);
  for (const channel of channelData) {
    // Ten times as fast as Math.round, which V8 does not compile to one instruction.
    for (let i = 0; i < samplesDecoded; i++)
      channel[i] = Math.floor(channel[i] * most + 0.5) * unit;
  }
}

/** Ogg pages are taken apart by mediabunny; libopus decodes their packets, always at 48 kHz. */
async function decodeOpus(bytes: Uint8Array, limits: AudioLimits): Promise<DecodedAudio> {
  const input = new Input({
    source: new BufferSource(bytes as Uint8Array<ArrayBuffer>),
    formats: ALL_FORMATS,
  });
  const track = await input.getPrimaryAudioTrack();
  const config = await track?.getDecoderConfig();
  if (track === null || track === undefined || config === null || config === undefined) {
    throw new AppError("undecodable_media", "The Ogg file holds no sound", { param: "audio" });
  }
  const decoder = new OpusDecoder({
    ...opusHead(config.description),
    channels: config.numberOfChannels,
  });
  await decoder.ready;
  try {
    const mono = new MonoCollector(limits);
    let end = 0;
    for await (const packet of new EncodedPacketSink(track).packets()) {
      const { channelData, samplesDecoded, sampleRate } = decoder.decodeFrame(packet.data);
      mono.add(channelData, samplesDecoded, sampleRate);
      end = packet.timestamp + packet.duration;
    }
    const { sampleRateHz, samples } = mono.finish();
    // The last page's granule position says where the sound ends inside the last packet.
    const length = Math.round(end * sampleRateHz);
    return {
      sampleRateHz,
      samples: length > 0 && length < samples.length ? samples.subarray(0, length) : samples,
    };
  } finally {
    decoder.free();
    input.dispose();
  }
}

/** The fields of the OpusHead packet that the decoder needs. Source: RFC 7845, section 5.1. */
function opusHead(description: ArrayBufferView | ArrayBufferLike | undefined) {
  if (description === undefined) return {};
  const view = ArrayBuffer.isView(description)
    ? new DataView(description.buffer, description.byteOffset, description.byteLength)
    : new DataView(description);
  if (view.byteLength < 19) return {};
  const preSkip = view.getUint16(10, true);
  const channels = view.getUint8(9);
  if (view.getUint8(18) === 0 || view.byteLength < 21 + channels) return { preSkip };
  return {
    preSkip,
    streamCount: view.getUint8(19),
    coupledStreamCount: view.getUint8(20),
    channelMappingTable: Array.from({ length: channels }, (_, i) => view.getUint8(21 + i)),
  };
}
