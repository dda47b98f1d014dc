import type { DecodedImage } from "../encoder.js";
import type { ImagePreprocess } from "../manifest.js";
import { pillowResize } from "./pillow-resize.js";

/**
 * A picture as the image tower takes it: resized, cropped at the centre, x * rescale, (x - mean) / std.
 *
 * Source: transformers 5.23, image_processing_clip and image_processing_siglip (the Pillow back end): long side
 * floor(size * long / short), crop from (side - crop) / 2 rounded down, zeros around a smaller picture with the odd row
 * on top and the odd column on the left.
 *
 * @returns [3, side, side], side = crop or, without one, the resized size.
 */
export function imageTensor(image: DecodedImage, spec: ImagePreprocess): Float32Array {
  const { resize, rescale, mean, std } = spec;
  const size = resizedSize(image, resize);
  const side = spec.crop ?? resize.size;
  const region = { left: cropStart(size.width, side), top: cropStart(size.height, side), width: side, height: side };
  const pixels = pillowResize(image, size, resize.resample, region);
  const plane = side * side;
  const tensor = new Float32Array(3 * plane);
  for (let c = 0; c < 3; c++) {
    const table = Float32Array.from({ length: 256 }, (_, value) => (value * rescale - mean[c]) / std[c]);
    for (let i = 0; i < plane; i++) tensor[c * plane + i] = table[pixels[3 * i + c]];
  }
  return tensor;
}

function resizedSize({ width, height }: DecodedImage, { mode, size }: ImagePreprocess["resize"]) {
  if (mode === "squash") return { width: size, height: size };
  const short = Math.min(width, height);
  const scaled = (side: number) => (side === short ? size : Math.floor((size * side) / short));
  return { width: scaled(width), height: scaled(height) };
}

/** Negative when the picture is smaller than the crop: -ceil(missing / 2). */
const cropStart = (side: number, crop: number) => Math.floor((side - crop) / 2);
