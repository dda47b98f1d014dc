import { workerError } from "../worker-error.js";
import { decodeSound } from "./decode-sound.js";

/** What is drawn of a sound. */
export interface SoundPictures {
  /** The largest |sample| of each column. */
  peaks: Float32Array;
  /** [frames, melBands] in dB, low bands first. */
  mel: { values: Float32Array; frames: number };
  durationSeconds: number;
}

/**
 * Decodes a sound and measures it off the main thread.
 * @throws Error with a sentence where it cannot be drawn.
 */
export async function soundPictures(
  blob: Blob,
  { durationSeconds, signal }: { durationSeconds?: number; signal: AbortSignal },
): Promise<SoundPictures> {
  const { samples } = await decodeSound(blob, durationSeconds);
  signal.throwIfAborted();
  const worker = new Worker(new URL("./analysis.worker.ts", import.meta.url), { type: "module" });
  try {
    return await new Promise<SoundPictures>((resolve, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason), { once: true });
      worker.onerror = (event) => reject(workerError(event, "The sound could not be drawn."));
      worker.onmessage = ({ data }) => resolve(data);
      worker.postMessage(samples, [samples.buffer]);
    });
  } finally {
    worker.terminate();
  }
}
