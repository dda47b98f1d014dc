import { createHash } from "node:crypto";
import { getPriority, setPriority } from "node:os";
import { decodeAudio } from "../../media/audio/decode-audio.js";
import { decodeImage } from "../../media/image/decode-image.js";
import { serveWorker, Transferred } from "../../workers/serve-worker.js";
import type { DecodedAudio, DecodedImage } from "../encoder.js";
import type { AudioPreprocess, ImagePreprocess } from "../manifest.js";
import { audioInputs } from "./audio.js";
import { fastImageTensor, imageTensor } from "./image.js";
import { thumbnail } from "./thumbnail.js";
import { waveform } from "./waveform.js";

// One thread of media-workers.ts. Decoded media goes into shared memory: the next stage may run in another thread and
// reads it there without a copy.

// The next batch is prepared while a graph runs, and on a machine with few cores must not slow it: with 2, sounds reached
// .95 of the bare session's rate without this and .97 to .99 with it. On Linux a priority belongs to a thread;
// elsewhere it would be the whole process's.
if (process.platform === "linux") {
  try {
    setPriority(Math.min(19, getPriority() + 5)); // of a server that gives way itself, too
  } catch {
    // A sandbox may forbid it: then it is slower, no more.
  }
}

serveWorker({
  async decodeImage({
    bytes,
    limits,
  }: {
    bytes: Uint8Array;
    limits: { maxPixels: number };
  }): Promise<DecodedImage> {
    const image = await decodeImage(bytes, limits);
    const rgb = new Uint8Array(new SharedArrayBuffer(image.rgb.byteLength));
    rgb.set(image.rgb);
    return { ...image, rgb, contentHash: hash(bytes) };
  },

  async decodeAudio({
    bytes,
    limits,
  }: {
    bytes: Uint8Array;
    limits: { maxSeconds: number };
  }): Promise<DecodedAudio> {
    const audio = await decodeAudio(bytes, limits);
    const samples = new Float32Array(new SharedArrayBuffer(audio.samples.byteLength));
    samples.set(audio.samples);
    return { ...audio, samples, contentHash: hash(bytes) };
  },

  async imageTensor({ image, spec }: { image: DecodedImage; spec: ImagePreprocess }) {
    const tensor =
      spec.resize?.method === "fast"
        ? await fastImageTensor(image, spec)
        : imageTensor(image, spec);
    return new Transferred(tensor, [tensor.buffer as ArrayBuffer]);
  },

  audioTensors({ audio, spec }: { audio: DecodedAudio; spec: AudioPreprocess }) {
    const inputs = audioInputs(audio, spec);
    return new Transferred(inputs, [
      ...new Set(inputs.windows.map(({ tensor }) => tensor.buffer as ArrayBuffer)),
    ]);
  },

  thumbnail: (image: DecodedImage) => thumbnail(image),
  waveform: (audio: DecodedAudio) => waveform(audio),
});

function hash(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
