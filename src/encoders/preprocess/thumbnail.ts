import sharp from "sharp";
import type { DecodedImage } from "../encoder.js";

/**
 * Longest side in pixels: sharp enough for a list on a dense screen. A photograph takes about 4 KB.
 */
const longestSide = 192;

/**
 * A decoded picture -> a small WebP of it, upright and as it is embedded; a smaller picture keeps
 * its size.
 */
export async function thumbnail({
  width,
  height,
  rgb,
}: DecodedImage): Promise<{ mediaType: string; bytes: Uint8Array }> {
  const raw = { width, height, channels: 3 } as const;
  const pixels = Buffer.from(rgb.buffer, rgb.byteOffset, rgb.byteLength);
  const bytes = await sharp(pixels, { raw, limitInputPixels: false })
    .resize(longestSide, longestSide, { fit: "inside", withoutEnlargement: true })
    .webp({ quality: 70, effort: 2 })
    .toBuffer();
  return { mediaType: "image/webp", bytes };
}
