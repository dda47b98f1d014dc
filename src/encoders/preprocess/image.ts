import type { DecodedImage } from "../encoder.js";
import { type ImagePreprocess, imageSide } from "../manifest.js";
import { fastResize, isFastFilter } from "./fast-resize.js";
import { normalized } from "./normalize-pixels.js";
import { pillowResize } from "./pillow-resize.js";

/**
 * A picture as the image tower takes it: resized, cropped at the centre, x * rescale, (x - mean) /
 * std.
 *
 * Source: transformers 5.23, image_processing_clip and image_processing_siglip (the Pillow back
 * end): long side floor(size * long / short), crop from (side - crop) / 2 rounded down, zeros
 * around a smaller picture with the odd row on top and the odd column on the left.
 *
 * @returns [3, side, side], side = crop or, without one, the resized size.
 */
export function imageTensor(image: DecodedImage, spec: ImagePreprocess): Float32Array {
  return normalized(imagePixels(image, spec), spec);
}

/** What `normalized` makes a tensor of: the picture resized and cropped, [side, side, 3]. */
export function imagePixels(image: DecodedImage, spec: ImagePreprocess): Uint8Array {
  const { size, region } = geometry(image, spec);
  // Without a resize the size stays, and every filter gives the pixels as they are.
  return pillowResize(image, size, spec.resize?.resample ?? "bilinear", region);
}

/**
 * Resized pixels above which libvips is not used: of a picture of 3 x 480 only the centre of 224 x
 * 35,840 is wanted.
 */
const maxFastPixels = 4_000_000;

/**
 * The same by libvips (`resize.method: fast`). Exact where the picture grows: libvips enlarges in
 * another way (up to 117 of 255 away), and small pictures cost little; and where libvips would need
 * memory for pixels outside the crop.
 */
export async function fastImagePixels(
  image: DecodedImage,
  spec: ImagePreprocess,
): Promise<Uint8Array> {
  const { size, region } = geometry(image, spec);
  const resample = spec.resize?.resample ?? "";
  const shrinks = image.width >= size.width && image.height >= size.height;
  const inside = region.left >= 0 && region.top >= 0;
  if (!isFastFilter(resample) || !shrinks || !inside || size.width * size.height > maxFastPixels)
    return imagePixels(image, spec);
  return fastResize(image, size, resample, region);
}

function geometry(image: DecodedImage, spec: ImagePreprocess) {
  const size = resizedSize(image, spec.resize);
  const side = imageSide(spec);
  const region = {
    left: cropStart(size.width, side),
    top: cropStart(size.height, side),
    width: side,
    height: side,
  };
  return { size, region };
}

function resizedSize({ width, height }: DecodedImage, resize: ImagePreprocess["resize"]) {
  if (resize === undefined) return { width, height };
  const { mode, size } = resize;
  if (mode === "squash") return { width: size, height: size };
  const short = Math.min(width, height);
  const scaled = (side: number) => (side === short ? size : Math.floor((size * side) / short));
  return { width: scaled(width), height: scaled(height) };
}

/** Negative when the picture is smaller than the crop: -ceil(missing / 2). */
const cropStart = (side: number, crop: number) => Math.floor((side - crop) / 2);
