import type { Paint } from "../components/canvas-strip.js";
import { melBands, melRangeDb } from "./mel-spec.js";
import type { SoundPictures } from "./sound-pictures.js";

/** The level: a column from -peak to peak, scaled to the loudest. */
export function drawLevel({ context, width, height, colors }: Paint, peaks: Float32Array): void {
  const loudest = Math.max(0.001, ...peaks);
  context.fillStyle = colors.audio;
  for (let x = 0; x < width; x++) {
    const first = Math.floor((x * peaks.length) / width);
    const end = Math.max(first + 1, Math.floor(((x + 1) * peaks.length) / width));
    const length = Math.max(1, (Math.max(...peaks.subarray(first, end)) / loudest) * (height - 8));
    context.fillRect(x, (height - length) / 2, 1, length);
  }
}

/** A mel spectrogram, low bands at the bottom: the louder, the more of the colour of sounds. */
export function drawMel(
  { context, width, height, colors }: Paint,
  mel: SoundPictures["mel"],
): void {
  if (mel.frames === 0) return;
  const image = melImage(mel, colors);
  context.imageSmoothingEnabled = true;
  context.drawImage(image, 0, 0, width, height);
}

function melImage(
  { values, frames }: SoundPictures["mel"],
  { audio, ink }: Pick<Paint["colors"], "audio" | "ink">,
): OffscreenCanvas {
  let loudest = Number.NEGATIVE_INFINITY;
  for (const value of values) loudest = Math.max(loudest, value);
  const ramp = colorRamp(audio, ink);
  const pixels = new ImageData(frames, melBands);
  for (let frame = 0; frame < frames; frame++) {
    for (let band = 0; band < melBands; band++) {
      const level = (values[frame * melBands + band] - loudest) / melRangeDb + 1;
      const color = ramp[Math.max(0, Math.min(255, Math.round(level * 255)))];
      pixels.data.set(color, 4 * ((melBands - 1 - band) * frames + frame));
    }
  }
  const canvas = new OffscreenCanvas(frames, melBands);
  canvas.getContext("2d")?.putImageData(pixels, 0, 0);
  return canvas;
}

/** 256 colours from nothing over `color` to a third on the way to `ink`. */
function colorRamp(color: string, ink: string): [number, number, number, number][] {
  const from = channelsOf(color);
  const to = channelsOf(ink);
  return Array.from({ length: 256 }, (_, i) => {
    const level = i / 255;
    const opacity = Math.min(1, level / 0.75) ** 1.6;
    const share = (Math.max(0, level - 0.75) / 0.25) * 0.5;
    const [r, g, b] = from.map((channel, c) => channel + share * (to[c] - channel));
    return [r, g, b, 255 * opacity];
  });
}

/** `#b45309` */
function channelsOf(hex: string): number[] {
  return [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16));
}
