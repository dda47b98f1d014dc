import { createHash } from "node:crypto";
import { Socket, type SocketConstructorOpts } from "node:net";
import { Worker } from "node:worker_threads";
import type { DecodedAudio, DecodedImage } from "../encoders/encoder.js";
import type { AudioPreprocess, ImagePreprocess } from "../encoders/manifest.js";
import { audioInputs } from "../encoders/preprocess/audio.js";
import { fastImagePixels, imagePixels } from "../encoders/preprocess/image.js";
import type { WindowRange } from "../encoders/preprocess/media-tensors.js";
import { thumbnail } from "../encoders/preprocess/thumbnail.js";
import { waveform } from "../encoders/preprocess/waveform.js";
import { AppError, type ErrorCode } from "../errors.js";
import { findLocks } from "../sandbox/find-locks.js";
import type { Locks } from "../sandbox/support.js";
import type { AudioLimits } from "./audio/mono-collector.js";
import { type Frame, FrameReader, writeFrame } from "./frames.js";

/**
 * A request to a decoding process; files and pixels are the buffers of its frame.
 */
export type DecoderRequest =
  | { id: number; method: "decodeImage"; key: number; limits: { maxPixels: number } }
  | { id: number; method: "decodeAudio"; key: number; limits: AudioLimits }
  | { id: number; method: "imagePixels"; media: ImageSource; spec: ImagePreprocess }
  | {
      id: number;
      method: "audioTensors";
      media: AudioSource;
      spec: AudioPreprocess;
      range?: WindowRange;
    }
  | { id: number; method: "thumbnail"; media: ImageSource }
  | { id: number; method: "waveform"; media: AudioSource }
  | { id: -1; method: "release"; keys: number[] };

type Numbered<T = DecoderRequest> = T extends { id: number } ? Omit<T, "id"> : never;
/** A request that is answered, without its number. */
export type DecoderCall = Exclude<Numbered, { method: "release" }>;

/** Media held by this process, or sent with the request. */
export type ImageSource = { key: number } | { width: number; height: number };
export type AudioSource = { key: number } | { sampleRateHz: number };

export type DecoderReply =
  | { ready: true; locks: Locks }
  | { id: number; value: unknown }
  /** The media was given up to make room: it must be decoded again. */
  | { id: number; gone: true }
  | { id: number; error: { name: string; message: string; code?: ErrorCode; param?: string } };

export interface Decoders {
  decodeImage(bytes: Uint8Array, limits: { maxPixels: number }): Promise<DecodedImage>;
  decodeAudio(bytes: Uint8Array, limits: AudioLimits): Promise<DecodedAudio>;
}

/** Decoded bytes kept for later requests; beyond this the oldest media is dropped. */
const maxHeldBytes = 256 * 2 ** 20;
/** A request holds one file, or the pixels of one picture. */
const maxFrameBytes = 2 ** 32;

/** Read at once, into a reused buffer. */
const readBytes = 2 ** 18;

type Answer = { value: unknown; buffers?: readonly Uint8Array[] } | "gone";

/**
 * The decoding process's side of decoder.ts: answers one request at a time on the socket at
 * descriptor 3.
 */
export function serveDecoding(decoders: Decoders): void {
  endWithParent();
  // Decoders print every damaged frame, of which a hostile file has millions; `warnings` report
  // them. A crash is printed by other means.
  console.error = console.warn = () => undefined;
  const onread = {
    buffer: new Uint8Array(readBytes),
    callback(length: number, buffer: Uint8Array) {
      reader.push(buffer.subarray(0, length));
      return true;
    },
  };
  const socket = new Socket({ fd: 3, onread } as SocketConstructorOpts); // its type lacks `onread`
  const heldMedia = new HeldMedia();
  const waiting: Frame[] = [];
  let isRunning = false;

  const run = async () => {
    if (isRunning) return;
    isRunning = true;
    for (let frame = waiting.shift(); frame !== undefined; frame = waiting.shift()) {
      const request = frame.message as DecoderRequest;
      if (request.method === "release") {
        for (const key of request.keys) heldMedia.release(key);
        continue;
      }
      const { id } = request;
      try {
        const answer = await answerTo(request, frame.buffers, { decoders, held: heldMedia });
        if (answer === "gone") writeFrame(socket, { id, gone: true } satisfies DecoderReply);
        else writeFrame(socket, { id, value: answer.value } satisfies DecoderReply, answer.buffers);
      } catch (error) {
        writeFrame(socket, { id, error: describe(error) } satisfies DecoderReply);
      }
    }
    isRunning = false;
  };
  const reader = new FrameReader(maxFrameBytes, (frame) => {
    waiting.push(frame);
    void run();
  });
  socket.resume();
  socket.on("error", () => process.exit());
  socket.on("close", () => process.exit());
  void findLocks().then((locks) =>
    writeFrame(socket, { ready: true, locks } satisfies DecoderReply),
  );
}

async function answerTo(
  request: Exclude<DecoderRequest, { method: "release" }>,
  [first]: readonly Uint8Array<ArrayBuffer>[],
  { decoders, held: heldMedia }: { decoders: Decoders; held: HeldMedia },
): Promise<Answer> {
  const imageOf = (source: ImageSource) =>
    "key" in source ? heldMedia.get<DecodedImage>(source.key) : { ...source, rgb: first };
  const audioOf = (source: AudioSource) =>
    "key" in source
      ? heldMedia.get<DecodedAudio>(source.key)
      : { ...source, samples: new Float32Array(first.buffer) };
  switch (request.method) {
    case "decodeImage": {
      const image = await decoders.decodeImage(first, request.limits);
      heldMedia.keep(request.key, image, image.rgb.byteLength);
      const { rgb: _, ...rest } = image;
      return { value: { ...rest, contentHash: hash(first) } };
    }
    case "decodeAudio": {
      const audio = await decoders.decodeAudio(first, request.limits);
      heldMedia.keep(request.key, audio, audio.samples.byteLength);
      const { samples, ...rest } = audio;
      return { value: { ...rest, sampleCount: samples.length, contentHash: hash(first) } };
    }
    case "imagePixels": {
      const image = imageOf(request.media);
      if (image === undefined) return "gone";
      const isFast = request.spec.resize?.method === "fast";
      const pixels = await (isFast ? fastImagePixels : imagePixels)(image, request.spec);
      return { value: null, buffers: [pixels] };
    }
    case "audioTensors": {
      const audio = audioOf(request.media);
      if (audio === undefined) return "gone";
      const { windows, ...rest } = audioInputs(audio, request.spec, request.range);
      const plain = windows.map(({ tensor: _, ...window }) => window);
      const buffers = windows.map(({ tensor }) => bytesOf(tensor));
      return { value: { ...rest, windows: plain }, buffers };
    }
    case "thumbnail": {
      const image = imageOf(request.media);
      return image === undefined ? "gone" : pictureAnswer(await thumbnail(image));
    }
    case "waveform": {
      const audio = audioOf(request.media);
      return audio === undefined ? "gone" : pictureAnswer(waveform(audio));
    }
  }
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array) =>
  new Uint8Array(buffer, byteOffset, byteLength);
const hash = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

function pictureAnswer({ mediaType, bytes }: { mediaType: string; bytes: Uint8Array }): Answer {
  return { value: { mediaType }, buffers: [bytes] };
}

/** Decoded media by key, the oldest first. */
class HeldMedia {
  readonly #media = new Map<number, { media: unknown; byteLength: number }>();
  #bytes = 0;

  keep(key: number, media: DecodedImage | DecodedAudio, byteLength: number): void {
    this.release(key);
    this.#media.set(key, { media, byteLength });
    this.#bytes += byteLength;
    for (const oldest of this.#media.keys()) {
      if (this.#bytes <= maxHeldBytes || oldest === key) break;
      this.release(oldest);
    }
  }

  get<T extends DecodedImage | DecodedAudio>(key: number): T | undefined {
    return this.#media.get(key)?.media as T | undefined;
  }

  release(key: number): void {
    this.#bytes -= this.#media.get(key)?.byteLength ?? 0;
    this.#media.delete(key);
  }
}

/**
 * Ends this process, and any ffmpeg it started, when the server ends in any way: then the standard
 * input closes. A separate thread waits for that, even while a decoder hangs.
 */
function endWithParent(): void {
  const source = `
    const { Socket } = require("node:net");
    const target = process.platform === "win32" ? ${process.pid} : -${process.pid};
    const end = () => process.kill(target, "SIGKILL");
    new Socket({ fd: 0 }).resume().on("error", end).on("close", end);`;
  const watch = new Worker(source, { eval: true, stdin: false, env: {}, execArgv: [] });
  watch.unref();
}

function describe(error: unknown) {
  if (error instanceof AppError) {
    const { name, message, code, param } = error;
    return { name, message, code, param };
  }
  if (error instanceof Error) return { name: error.name, message: error.stack ?? error.message };
  return { name: "Error", message: String(error) };
}
