import { availableParallelism } from "node:os";
import type { DecodedAudio, DecodedImage, HeldAudio, HeldImage } from "../encoders/encoder.js";
import type { AudioTensors } from "../encoders/preprocess/media-tensors.js";
import { AppError } from "../errors.js";
import type { Log } from "../log.js";
import type { SandboxMode } from "../sandbox/support.js";
import { sparseWarnings } from "../sparse-warnings.js";
import { type AudioLimits, defaultMaxSamples } from "./audio/mono-collector.js";
import { decodedBytes } from "./decoded-bytes.js";
import type { Decoder, DecoderAnswer } from "./decoder.js";
import { DecoderScheduler } from "./decoder-scheduler.js";
import { decoderEntry } from "./decoder-start.js";
import type { Media } from "./media.js";
import type { AudioSource, DecoderCall, ImageSource } from "./serve-decoding.js";

export interface DecodingPoolOptions {
  /** 0 is one for each core. They start on first use. */
  processes?: number;
  /** Memory and processor time that one file may take. */
  maxBytes?: number;
  maxSeconds?: number;
  /** Samples of the longest sound, unless a call has a limit of its own. */
  maxAudioSamples?: number;
  /** The module of a process. */
  entry?: URL;
  /** How the processes are locked; `auto` when left out. */
  sandbox?: SandboxMode;
  /** Called with what ended a process, a few times a minute at most. */
  log?: Log;
}

/** Decoded size above which a file takes seconds: 40 megapixels, 13 minutes of sound. */
const longBytes = 320_000_000;

/** How often media is decoded again after its process ended, or dropped it to make room. */
const maxAttempts = 3;

/** Media held by a process, and what is needed to decode it again. */
interface HeldFile {
  key: number;
  bytes: Uint8Array;
  call: DecodeCall;
  isLong: boolean;
  decoder: Decoder | undefined;
}

type DecodeCall = Extract<DecoderCall, { method: "decodeImage" | "decodeAudio" }>;
type Answer = Exclude<DecoderAnswer, "gone">;

/**
 * A few processes that decode and preprocess media. One that hangs, crashes or exceeds its budget
 * is ended and only fails its call: other media that it held is decoded again. See
 * docs/decisions/0062-decoding-processes.md.
 */
export function startDecodingPool({
  processes = 0,
  maxBytes = 2 ** 30,
  maxSeconds = 30,
  maxAudioSamples = defaultMaxSamples,
  entry = decoderEntry,
  sandbox,
  log,
}: DecodingPoolOptions = {}): Media {
  const scheduler = new DecoderScheduler({
    processes: processes > 0 ? processes : availableParallelism(),
    maxRestingBytes: maxBytes / 2,
    entry,
    sandbox,
    onEnded: log && sparseWarnings(log),
  });
  const budget = { cpuMs: 1000 * maxSeconds, memoryBytes: maxBytes };
  /** Media that claims to be large leaves one process to small media. */
  const isLong = ({ method, limits }: DecodeCall, bytes: Uint8Array) => {
    const maxImagePixels = "maxPixels" in limits ? limits.maxPixels : 0;
    const maxAudioSeconds = "maxSeconds" in limits ? limits.maxSeconds : 0;
    const modality = method === "decodeImage" ? "image" : "audio";
    return decodedBytes(bytes, modality, { maxImagePixels, maxAudioSeconds }) > longBytes;
  };
  const files = new WeakMap<object, HeldFile>();
  let nextKey = 0;

  const release = (file: HeldFile) => {
    const { decoder } = file;
    file.decoder = undefined;
    if (decoder === undefined) return;
    decoder.release(file.key);
    scheduler.retireIfIdle(decoder);
  };
  /** Media that is never disposed of is released when it becomes unreachable. */
  const forgotten = new FinalizationRegistry<HeldFile>(release);

  const decode = async (file: HeldFile, signal: AbortSignal | undefined): Promise<unknown> => {
    const { call, bytes, isLong } = file;
    const job = {
      call,
      buffers: [bytes],
      file: bytes,
      budget,
      isLong,
      signal,
    };
    const { answer, decoder } = await scheduler.run(job);
    file.decoder = decoder;
    return (answer as Answer).value;
  };
  const decodeAndHold = async <T extends object, H extends object>(
    bytes: Uint8Array,
    callOf: (key: number) => DecodeCall,
    handleOf: (decoded: T) => H,
    signal: AbortSignal | undefined,
  ): Promise<H & { dispose(): void }> => {
    const key = nextKey++;
    const call = callOf(key);
    const file: HeldFile = { key, bytes, call, isLong: isLong(call, bytes), decoder: undefined };
    const dispose = () => {
      forgotten.unregister(file);
      release(file);
    };
    const handle = { ...handleOf((await decode(file, signal)) as T), dispose };
    files.set(handle, file);
    forgotten.register(handle, file, file);
    return handle;
  };
  const onHeld = async (
    handle: object,
    callOf: (media: { key: number }) => DecoderCall,
    signal: AbortSignal | undefined,
  ): Promise<Answer> => {
    const file = files.get(handle);
    if (file === undefined) throw new TypeError("The media was decoded by another pool");
    for (let attempt = 0; attempt < maxAttempts; attempt++) {
      if (file.decoder === undefined || file.decoder.ended !== undefined)
        await decode(file, signal);
      const { key, bytes, decoder } = file;
      const job = {
        call: callOf({ key }),
        buffers: [],
        file: bytes,
        budget,
        decoder,
        isLong: file.isLong,
        signal,
      };
      const { answer } = await scheduler.run(job);
      if (answer !== "gone") return answer;
      decoder?.mediaKeys.delete(key);
      file.decoder = undefined;
    }
    throw new AppError("overloaded", "Too much media is decoded at once; try again", {
      retryAfterSeconds: 5,
    });
  };
  /** Media in memory is sent with the call. */
  const onPlain = async (
    call: DecoderCall,
    { buffer, byteOffset, byteLength }: Uint8Array | Float32Array,
    signal: AbortSignal | undefined,
  ): Promise<Answer> => {
    const buffers = [new Uint8Array(buffer, byteOffset, byteLength)];
    const { answer } = await scheduler.run({ call, buffers, budget, signal });
    return answer as Answer;
  };
  const onImage = (
    image: HeldImage | DecodedImage,
    callOf: (media: ImageSource) => DecoderCall,
    signal?: AbortSignal,
  ) => {
    if (!("rgb" in image)) return onHeld(image, callOf, signal);
    const { width, height, rgb } = image;
    return onPlain(callOf({ width, height }), rgb, signal);
  };
  const onAudio = (
    audio: HeldAudio | DecodedAudio,
    callOf: (media: AudioSource) => DecoderCall,
    signal?: AbortSignal,
  ) => {
    if (!("samples" in audio)) return onHeld(audio, callOf, signal);
    const { sampleRateHz, samples } = audio;
    return onPlain(callOf({ sampleRateHz }), samples, signal);
  };

  return {
    decodeImage: (bytes, limits, { signal } = {}) =>
      decodeAndHold(
        bytes,
        (key) => ({ method: "decodeImage", key, limits }),
        (image: Omit<HeldImage, "decodedBytes" | "dispose">) => ({
          ...image,
          decodedBytes: 3 * image.width * image.height,
        }),
        signal,
      ),
    decodeAudio: (bytes, limits, { signal } = {}) =>
      decodeAndHold(
        bytes,
        (key) => ({
          method: "decodeAudio",
          key,
          limits: { maxSamples: maxAudioSamples, ...limits } satisfies AudioLimits,
        }),
        ({
          sampleCount,
          ...audio
        }: Pick<HeldAudio, "sampleRateHz" | "contentHash" | "warnings"> & {
          sampleCount: number;
        }) => ({
          ...audio,
          seconds: sampleCount / audio.sampleRateHz,
          decodedBytes: 4 * sampleCount,
        }),
        signal,
      ),
    async imagePixels(image, spec, { signal } = {}) {
      const { buffers } = await onImage(
        image,
        (media) => ({ method: "imagePixels", media, spec }),
        signal,
      );
      return buffers[0];
    },
    async audioTensors(audio, spec, { signal, range } = {}) {
      const { value, buffers } = await onAudio(
        audio,
        (media) => ({ method: "audioTensors", media, spec, range }),
        signal,
      );
      const { windows, ...rest } = value as AudioTensors;
      return {
        ...rest,
        windows: windows.map((window, i) => ({
          ...window,
          tensor: new Float32Array(buffers[i].buffer),
        })),
      };
    },
    async thumbnail(image, { signal } = {}) {
      return pictureOf(await onImage(image, (media) => ({ method: "thumbnail", media }), signal));
    },
    async waveform(audio, { signal } = {}) {
      return pictureOf(await onAudio(audio, (media) => ({ method: "waveform", media }), signal));
    },
    usage: () => scheduler.usage(),
    close: () => scheduler.close(),
  };
}

function pictureOf({ value, buffers }: Answer) {
  return { mediaType: (value as { mediaType: string }).mediaType, bytes: buffers[0] };
}
