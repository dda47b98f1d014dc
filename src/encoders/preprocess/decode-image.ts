import sharp from "sharp";
import { AppError } from "../../errors.js";
import { sniffFormat } from "../../media/sniff.js";
import type { DecodedImage } from "../encoder.js";

sharp.cache(false); // each picture is decoded once
sharp.concurrency(1); // the media workers are the threads

/** Versions of the image library and of libvips, which it binds. */
export const imageLibraryVersions = () => ({
  sharp: sharp.versions.sharp,
  libvips: sharp.versions.vips,
});

const formats = new Set(["jpeg", "png", "webp", "gif", "avif", "tiff"]);

/**
 * The bytes of a picture -> RGB, 8 bits a channel, as Pillow's `convert("RGB")` gives it after `ImageOps.exif_transpose`:
 * turned upright, colour profiles ignored, 16-bit grey clipped at 255, CMYK by Pillow's formula. Transparent pictures are
 * laid on white, as transformers 5 does (older versions dropped the alpha channel and showed what was hidden under it).
 * Of several frames the first is taken. Equal to Pillow in every channel but for AVIF, whose halved chroma libheif repeats
 * where Pillow blends it (mean difference .3 of 255 for a photograph at 224 x 224).
 *
 * @throws AppError `unsupported_media` (not one of the formats known here), `too_large` (more than `maxPixels`, told
 *   from the header before anything is decoded), `undecodable_media` (corrupt or cut short).
 */
export async function decodeImage(
  bytes: Uint8Array,
  { maxPixels }: { maxPixels: number },
): Promise<DecodedImage> {
  const format = sniffFormat(bytes);
  if (format === undefined || !formats.has(format)) {
    const what = format === undefined ? "of no known format" : `a sound or film (${format})`;
    const message = `The file is ${what}; expected JPEG, PNG, WebP, GIF, AVIF or TIFF`;
    throw new AppError("unsupported_media", message, { param: "image" });
  }
  try {
    const input = sharp(format === "avif" ? asStill(bytes) : bytes, {
      failOn: "error",
      limitInputPixels: false,
      ignoreIcc: true,
    });
    const header = await input.metadata();
    if (header.width * header.height > maxPixels) {
      const message = `The picture has ${header.width} x ${header.height} pixels; at most ${maxPixels} are taken (option maxImagePixels)`;
      throw new AppError("too_large", message, { param: "image" });
    }
    let space = "srgb";
    if (header.depth === "ushort" && header.channels === 1) space = "grey16";
    if (header.space === "cmyk") space = "cmyk";
    const upright = input.autoOrient();
    // Left to itself, the pipeline would convert CMYK by a profile.
    if (space === "cmyk") upright.pipelineColourspace("cmyk");
    const raw = upright
      .toColourspace(space)
      .raw({ depth: space === "grey16" ? "ushort" : "uchar" });
    const { data, info } = await raw.toBuffer({ resolveWithObject: true });
    const { width, height, channels } = info;
    if (space === "grey16") return { width, height, rgb: fromGrey16(data) };
    if (space === "cmyk") return { width, height, rgb: fromCmyk(data, channels) };
    return { width, height, rgb: fromColour(data, channels) };
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw new AppError(
      "undecodable_media",
      `The ${format.toUpperCase()} file is corrupt or cut short`,
      {
        param: "image",
        cause: error,
      },
    );
  }
}

/**
 * An animated AVIF names the brand "avis" first, which libvips refuses; its first picture is stored like that of a still
 * one and is read under that brand.
 */
function asStill(bytes: Uint8Array): Uint8Array {
  if (String.fromCharCode(...bytes.subarray(8, 12)) !== "avis") return bytes;
  const still = Uint8Array.from(bytes);
  still[11] = "f".charCodeAt(0);
  return still;
}

/** Grey, grey and alpha, RGB or RGBA. */
function fromColour(data: Uint8Array, channels: number): Uint8Array {
  if (channels === 3) return data;
  const pixels = data.length / channels;
  const grey = channels < 3;
  const rgb = new Uint8Array(3 * pixels);
  for (let i = 0; i < pixels; i++) {
    const at = i * channels;
    const alpha = channels % 2 === 0 ? data[at + channels - 1] : 255;
    for (let c = 0; c < 3; c++) rgb[3 * i + c] = onWhite(data[grey ? at : at + c], alpha);
  }
  return rgb;
}

/** A value laid on white, in the fixed point of Pillow's AlphaComposite.c. */
function onWhite(value: number, alpha: number): number {
  const sum = value * alpha * 128 + 255 * (255 - alpha) * 128 + (0x80 << 7);
  return ((sum >> 8) + sum) >> 15;
}

/** Pillow's conversion of mode I;16 clips instead of scaling. */
function fromGrey16(data: Buffer): Uint8Array {
  const samples = new Uint16Array(data.buffer, data.byteOffset, data.length / 2);
  const rgb = new Uint8Array(3 * samples.length);
  for (let i = 0; i < samples.length; i++) rgb.fill(Math.min(255, samples[i]), 3 * i, 3 * i + 3);
  return rgb;
}

/** Pillow's Convert.c, cmyk2rgb: channel = K' - ink K' / 255, K' = 255 - K, with its rounding division. */
function fromCmyk(data: Uint8Array, channels: number): Uint8Array {
  const pixels = data.length / channels;
  const rgb = new Uint8Array(3 * pixels);
  for (let i = 0; i < pixels; i++) {
    const light = 255 - data[i * channels + 3];
    for (let c = 0; c < 3; c++) {
      const product = data[i * channels + c] * light + 128;
      rgb[3 * i + c] = Math.max(0, light - (((product >> 8) + product) >> 8));
    }
  }
  return rgb;
}
