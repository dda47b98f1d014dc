import sharp, { type Metadata } from "sharp";
import type { DecodedImage } from "../../encoders/encoder.js";
import { AppError } from "../../errors.js";
import { type MediaFormat, sniffFormat } from "../sniff.js";
import { heicToPng } from "./heic.js";
import { overlookedOrientation, turnUpright } from "./orientation.js";
import { withEarlyMetadata } from "./png-metadata.js";
import { compressionOf, type TiffLayout, tiffLayout } from "./tiff-layout.js";
import { tiffTag, withOrientationInRange } from "./tiff-tags.js";
import { fromCmyk, fromColour, fromYCbCr, upperBytes } from "./to-rgb.js";

sharp.cache(false); // each picture is decoded once
sharp.concurrency(1); // the media workers are the threads

/** Versions of the image library and of libvips, which it binds. */
export const imageLibraryVersions = () => ({
  sharp: sharp.versions.sharp,
  libvips: sharp.versions.vips,
});

const formats = new Set(["jpeg", "png", "webp", "gif", "avif", "tiff", "heic"]);

/**
 * The bytes of a picture -> RGB, 8 bits a channel, as Pillow's `convert("RGB")` gives it after
 * `ImageOps.exif_transpose`: turned upright, colour profiles ignored, CMYK and YCbCr by Pillow's
 * formulas. Transparent pictures are composited on white, as transformers 5 does (older versions
 * dropped the alpha channel and showed what was hidden under it). Of several frames the first is
 * used. Equal to Pillow except for:
 * - AVIF, whose halved chroma libheif repeats where Pillow blends it (mean difference .3 of 255 for
 *   a photograph at 224 x 224);
 * - grey of 16 bits, which is scaled to 8 like 16-bit RGB; Pillow clips it at 255, so that nearly
 *   everything would be white.
 *
 * @throws AppError `unsupported_media` (an unsupported format, compression or kind of sample),
 *   `too_large` (more than `maxPixels`, known from the header before anything is decoded),
 *   `undecodable_media` (corrupt or cut short).
 */
export async function decodeImage(
  bytes: Uint8Array,
  { maxPixels }: { maxPixels: number },
): Promise<DecodedImage> {
  const format = sniffFormat(bytes);
  if (format === undefined || !formats.has(format)) {
    const problem =
      format === undefined ? "Unknown file format" : "The file is a sound, not a picture";
    const message = `${problem}; expected JPEG, PNG, WebP, GIF, AVIF, HEIC or TIFF`;
    throw new AppError("unsupported_media", message, { param: "image" });
  }
  if (format === "heic") {
    const png = await heicToPng(bytes, maxPixels);
    return decodeWithSharp(png, { maxPixels, name: "HEIC", isUpright: true });
  }
  const tiff = format === "tiff" ? tiffLayout(bytes) : undefined;
  const options = { maxPixels, name: format.toUpperCase(), tiff };
  const input = forSharp(bytes, format, tiff);
  const attempts = [
    () => decodeWithSharp(input, options),
    // Cameras and streams omit the last marker. If pixels are missing too, this fails.
    ...(format === "jpeg" ? [() => decodeWithSharp(withEnd(input), options)] : []),
  ];
  for (const attempt of attempts) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof AppError && error.code === "undecodable_media")) throw error;
    }
  }
  const decoded = await decodeWithSharp(input, { ...options, takesDamage: true });
  return { ...decoded, warnings: [damage] };
}

const damage = "The decoder found damage in the picture: parts of it may be grey or wrong";

/** Rewrites common variants that libvips refuses or overlooks. */
function forSharp(bytes: Uint8Array, format: MediaFormat, tiff?: TiffLayout): Uint8Array {
  if (format === "avif") return asStill(bytes);
  if (format === "png") return withEarlyMetadata(bytes);
  const orientation = tiff?.tags.get(tiffTag.orientation)?.[0] ?? 1;
  return orientation >= 1 && orientation <= 8 ? bytes : withOrientationInRange(bytes);
}

const withEnd = (jpeg: Uint8Array) => Buffer.concat([jpeg, Buffer.from([0xff, 0xd9])]);

interface DecodeOptions {
  maxPixels: number;
  /** The format, for messages. */
  name: string;
  tiff?: TiffLayout;
  /** Orientation is already applied. */
  isUpright?: boolean;
  /** Whether a damaged file is decoded as far as possible. */
  takesDamage?: boolean;
}

async function decodeWithSharp(
  bytes: Uint8Array,
  { maxPixels, name, tiff, isUpright = false, takesDamage = false }: DecodeOptions,
): Promise<DecodedImage> {
  try {
    const failOn = takesDamage ? "error" : "warning";
    const input = sharp(bytes, { failOn, limitInputPixels: false, ignoreIcc: true });
    const header = await input.metadata();
    checkHeader(header, maxPixels, name);
    const orientation = isUpright ? 1 : overlookedOrientation(header, tiff?.tags);
    const upright = orientation > 1 ? turnUpright(input, orientation) : input.autoOrient();
    const isCmyk = header.space === "cmyk";
    // By default, the pipeline would convert CMYK by a profile, and clip 16 bits at 255.
    if (isCmyk) upright.pipelineColourspace("cmyk");
    const isWide = isCmyk && header.depth === "ushort";
    const raw = upright
      .toColourspace(isCmyk ? "cmyk" : "srgb")
      .raw({ depth: isWide ? "ushort" : "uchar" });
    const { data, info } = await raw.toBuffer({ resolveWithObject: true });
    const { width, height, channels } = info;
    const samples = isWide ? upperBytes(data) : data;
    const layout = { channels, ...colourLayout(header, channels, tiff) };
    if (isCmyk) return { width, height, rgb: fromCmyk(samples, layout) };
    // libtiff has converted subsampled chroma, and says so by an alpha channel that it adds.
    if (tiff?.isYCbCr && channels === 3) {
      return { width, height, rgb: fromYCbCr(samples, layout) };
    }
    return { width, height, rgb: fromColour(samples, layout) };
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw undecodable(error, name, tiff);
  }
}

function checkHeader({ width, height, depth }: Metadata, maxPixels: number, name: string): void {
  if (width * height > maxPixels) {
    const message = `The picture has ${width} x ${height} pixels; at most ${maxPixels} are allowed`;
    throw new AppError("too_large", `${message} (option maxImagePixels)`, { param: "image" });
  }
  if (depth !== "uchar" && depth !== "ushort") {
    const message =
      `The ${name} has samples of type "${depth}", for which no brightness of white is defined; ` +
      "save it with 8 or 16 bits a channel";
    throw new AppError("unsupported_media", message, { param: "image" });
  }
}

/** Which of the decoded samples are colours; libvips may have made RGB of grey or of a palette. */
function colourLayout({ channels: before }: Metadata, channels: number, tiff?: TiffLayout) {
  if (tiff === undefined) {
    const colours = channels < 3 ? 1 : 3;
    return { colours, alpha: channels % 2 === 0 ? channels - 1 : undefined };
  }
  const isGrey = tiff.colours === 1 && channels < 3;
  const colours = isGrey ? 1 : Math.max(3, tiff.colours);
  const shift = colours - tiff.colours;
  const alpha = tiff.alpha === undefined ? undefined : tiff.alpha + shift;
  return { colours, alpha: before > tiff.colours ? alpha : undefined };
}

/** A feature that the decoder lacks does not mean a corrupt file. */
function undecodable(error: unknown, name: string, tiff?: TiffLayout): AppError {
  const options = { param: "image", cause: error };
  const reason = error instanceof Error ? error.message : "";
  if (/not (configured|implemented|supported|been built in)|unsupported/i.test(reason)) {
    const compression = tiff && compressionOf(tiff.tags);
    const problem = compression ? `is compressed as ${compression}, which` : "uses a feature that";
    return new AppError("unsupported_media", `The ${name} ${problem} is not supported`, options);
  }
  return new AppError("undecodable_media", `The ${name} file is corrupt or cut short`, options);
}

/**
 * An animated AVIF names the brand "avis" first, which libvips refuses; its first picture is stored
 * like that of a still one and is read under that brand.
 */
function asStill(bytes: Uint8Array): Uint8Array {
  if (String.fromCharCode(...bytes.subarray(8, 12)) !== "avis") return bytes;
  const still = Uint8Array.from(bytes);
  still[11] = "f".charCodeAt(0);
  return still;
}
