import { availableParallelism } from "node:os";
import { AppError } from "../../errors.js";
import { startWorker, type WorkerHandle } from "../../workers/start-worker.js";
import type { DecodedAudio, DecodedImage } from "../encoder.js";
import type { AudioPreprocess, ImagePreprocess } from "../manifest.js";

/** The input of an audio tower for one window of a sound. */
export interface AudioWindowTensor {
  startSeconds: number;
  endSeconds: number;
  tensor: Float32Array;
  /** Fused CLAP's second input: the sound is longer than the window and `tensor` holds its four views. */
  isLonger: boolean;
}

/** Decodes and preprocesses media in worker threads, so that no picture or sound blocks the event loop. */
export interface MediaWorkers {
  decodeImage(bytes: Uint8Array, limits: { maxPixels: number }): Promise<DecodedImage>;
  decodeAudio(bytes: Uint8Array, limits: { maxSeconds: number }): Promise<DecodedAudio>;
  /** @returns the image tower's input, [3, H, W]. */
  imageTensor(image: DecodedImage, spec: ImagePreprocess): Promise<Float32Array>;
  /** @returns the audio tower's inputs, one for each window; `shape` is that of each `tensor`. */
  audioTensors(
    audio: DecodedAudio,
    spec: AudioPreprocess,
  ): Promise<{ windows: AudioWindowTensor[]; shape: number[] }>;
  /** Small pictures of media, for lists. */
  thumbnail(image: DecodedImage): Promise<{ mediaType: string; bytes: Uint8Array }>;
  waveform(audio: DecodedAudio): Promise<{ mediaType: string; bytes: Uint8Array }>;
  close(): Promise<void>;
}

/** @param threads  0 is one for each core. Threads start when they are first needed. */
export function startMediaWorkers(threads = 0): MediaWorkers {
  const size = threads > 0 ? threads : availableParallelism();
  const workers: WorkerHandle[] = [];
  let closed = false;

  /** The least busy thread; a new one while all are busy and there is room. */
  const pick = (): WorkerHandle => {
    if (closed) throw new AppError("cancelled", "The server is shutting down");
    let best = workers.findIndex((worker) => worker.pending === 0);
    if (best < 0 && workers.length < size) {
      workers.push(startWorker(new URL("./media-worker.js", import.meta.url)));
      best = workers.length - 1;
    }
    if (best < 0)
      best = workers.reduce(
        (least, worker, i) => (worker.pending < workers[least].pending ? i : least),
        0,
      );
    return workers[best];
  };
  /** A thread that died (out of memory on a hostile file, say) is replaced; the call that killed it fails by design. */
  const call = async <T>(method: string, args: unknown): Promise<T> => {
    const worker = pick();
    try {
      return await worker.call<T>(method, args);
    } catch (error) {
      if (worker.ended === undefined) throw error;
      const position = workers.indexOf(worker);
      if (position >= 0) workers.splice(position, 1);
      throw new AppError(
        "undecodable_media",
        "The file could not be processed: its decoder gave up",
        { cause: error },
      );
    }
  };

  return {
    decodeImage: (bytes, limits) => call("decodeImage", { bytes, limits }),
    decodeAudio: (bytes, limits) => call("decodeAudio", { bytes, limits }),
    imageTensor: (image, spec) => call("imageTensor", { image, spec }),
    audioTensors: (audio, spec) => call("audioTensors", { audio, spec }),
    thumbnail: (image) => call("thumbnail", image),
    waveform: (audio) => call("waveform", audio),
    async close() {
      closed = true;
      await Promise.all(workers.map((worker) => worker.close()));
    },
  };
}
