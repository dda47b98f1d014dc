import type { ImagePreprocess } from "../manifest.js";

/** The number that each of the 256 values of a pixel is in the tensor, by channel. */
export type PixelTables = readonly [Float32Array, Float32Array, Float32Array];

const tables = new WeakMap<ImagePreprocess, PixelTables>();

/** (value * rescale - mean) / std */
export function pixelTables(spec: ImagePreprocess): PixelTables {
  const cached = tables.get(spec);
  if (cached !== undefined) return cached;
  const { rescale, mean, std } = spec;
  const table = (c: number) =>
    Float32Array.from({ length: 256 }, (_, value) => (value * rescale - mean[c]) / std[c]);
  const made: PixelTables = [table(0), table(1), table(2)];
  tables.set(spec, made);
  return made;
}

/**
 * @param pixels  [side, side, 3]
 * @param tensor  where to write [3, side, side], in the type of the tables.
 */
export function lookUpPixels(
  pixels: Uint8Array,
  [red, green, blue]: readonly (Float32Array | Uint16Array)[],
  tensor: Float32Array | Uint16Array,
): void {
  const plane = pixels.length / 3;
  for (let i = 0, at = 0; i < plane; i++, at += 3) {
    tensor[i] = red[pixels[at]];
    tensor[plane + i] = green[pixels[at + 1]];
    tensor[2 * plane + i] = blue[pixels[at + 2]];
  }
}

/** @returns [3, side, side] of a picture [side, side, 3]. */
export function normalized(pixels: Uint8Array, spec: ImagePreprocess): Float32Array {
  const tensor = new Float32Array(pixels.length);
  lookUpPixels(pixels, pixelTables(spec), tensor);
  return tensor;
}
