import sharp from "sharp";
import type { DecodedImage } from "../encoder.js";
import type { Region } from "./pillow-resize.js";

/** libvips' name for each filter; both are widened by the reduction, as Pillow's are. */
const kernels = { bilinear: "linear", bicubic: "cubic", lanczos: "lanczos3" } as const;
type FastFilter = keyof typeof kernels;

/** libvips has no box and no Hamming filter. */
export const isFastFilter = (resample: string): resample is FastFilter => resample in kernels;

/**
 * What `pillowResize` computes, by libvips instead: rounded otherwise (a unit or two of 255), and
 * several times as fast for large pictures. The region must lie within the resized picture.
 *
 * @returns [region.height, region.width, 3]
 */
export async function fastResize(
  { width, height, rgb }: DecodedImage,
  size: { width: number; height: number },
  resample: FastFilter,
  region: Region,
): Promise<Uint8Array> {
  return sharp(rgb, { raw: { width, height, channels: 3 }, limitInputPixels: false })
    .resize(size.width, size.height, {
      fit: "fill",
      kernel: kernels[resample],
      fastShrinkOnLoad: false,
    })
    .extract(region)
    .raw()
    .toBuffer();
}
