import type { DecodedAudio, DecodedImage } from "../encoders/encoder.js";
import { giveWay, niceness } from "../workers/give-way.js";
import { serveWorker, Transferred } from "../workers/serve-worker.js";
import { backgroundPictures } from "./background-pictures.js";
import { backgroundSounds } from "./background-sounds.js";

// A thread that makes the shipped background: seconds of arithmetic, which would hold requests up.
giveWay(niceness.decoding);

export interface BackgroundBatch {
  modality: "image" | "audio";
  /** Of the whole background; the same in every call. */
  total: number;
  size: number;
}

let inputs: Generator<DecodedImage | DecodedAudio> | undefined;

serveWorker({
  /** The next ones; fewer or none at the end. */
  next({ modality, total, size }: BackgroundBatch) {
    inputs ??= modality === "image" ? backgroundPictures(total) : backgroundSounds(total);
    const batch: (DecodedImage | DecodedAudio)[] = [];
    while (batch.length < size) {
      const { value, done } = inputs.next();
      if (done) break;
      batch.push(value);
    }
    const buffers = batch.map((one) => ("rgb" in one ? one.rgb : one.samples).buffer);
    return new Transferred(batch, buffers as ArrayBuffer[]);
  },
});
