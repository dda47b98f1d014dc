import { logMel } from "../../../src/encoders/preprocess/log-mel.js";
import { peaksOf } from "../../../src/encoders/preprocess/waveform.js";
import { pictureRateHz } from "./decode-sound.js";
import { melSpec } from "./mel-spec.js";
import type { SoundPictures } from "./sound-pictures.js";

/** Columns of the drawings, whatever the length of the sound. */
const columns = 1600;

addEventListener("message", ({ data: samples }: MessageEvent<Float32Array>) => {
  const hopLength = Math.max(160, Math.floor(samples.length / columns));
  const isDrawable = samples.length > 512; // the edges are reflected
  const { values, frames } = isDrawable
    ? logMel(samples, melSpec(pictureRateHz, hopLength))
    : { values: new Float32Array(0), frames: 0 };
  const pictures: SoundPictures = {
    peaks: Float32Array.from(peaksOf(samples, Math.min(columns, Math.max(1, samples.length)))),
    mel: { values, frames },
    durationSeconds: samples.length / pictureRateHz,
  };
  postMessage(pictures);
});
