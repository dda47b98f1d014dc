import { AppError } from "../../errors.js";
import { readTiffTags, tiffTag } from "./tiff-tags.js";
import type { SampleLayout } from "./to-rgb.js";

/** Facts about a TIFF's samples that libvips does not report. */
export interface TiffLayout extends Omit<SampleLayout, "channels"> {
  tags: Map<number, number[]>;
  /** Luma and chroma for each pixel, which libvips passes on as if it were RGB. */
  isYCbCr: boolean;
}

const photometric = { white: 0, black: 1, rgb: 2, palette: 3, mask: 4, separated: 5, yCbCr: 6 };
/** Of an extra sample: premultiplied, or not. Anything else is not alpha. */
const alphaKinds = [1, 2];
const jpegCompression = 7;
const readableBits = [1, 2, 4, 8, 16];
/** Of those that are not unsigned: TIFF 6.0, section 19. */
const sampleFormats: Record<number, string> = {
  2: "signed integers",
  3: "floating-point numbers",
  5: "complex numbers",
  6: "complex numbers",
};

/** Source: TIFF 6.0 and its supplements; libtiff's tiff.h for the others. */
const compressions: Record<number, string> = {
  6: "old-style JPEG",
  9: "JBIG",
  32766: "NeXT",
  32809: "ThunderScan",
  33003: "JPEG 2000",
  33005: "JPEG 2000",
  34661: "JBIG",
  34676: "SGI Log",
  34677: "SGI Log",
  34712: "JPEG 2000",
  34887: "LERC",
  34892: "lossy DNG JPEG",
  34925: "LZMA",
  34933: "PNG",
  34934: "JPEG XR",
  50000: "Zstandard",
  50001: "WebP",
  50002: "JPEG XL",
  52546: "JPEG XL",
};

/**
 * Which samples of a TIFF are colours and which one is alpha: an extra band may be infrared, a mask
 * or a spot colour, and compositing on white by it would give noise.
 *
 * @throws AppError `unsupported_media` for samples that have no defined colour.
 */
export function tiffLayout(bytes: Uint8Array): TiffLayout {
  const tags = readTiffTags(bytes);
  const kind = tags.get(tiffTag.photometric)?.[0] ?? photometric.black;
  if (kind > photometric.yCbCr) throw unsupported(`colours of another kind (photometric ${kind})`);
  checkSamples(tags);
  const samples = tags.get(tiffTag.samplesPerPixel)?.[0] ?? 1;
  const colours = colourSamples(kind);
  const extra = tags.get(tiffTag.extraSamples);
  if (colours === 1 && samples > 2) {
    throw unsupported(`${samples} bands that it does not declare to be colours`);
  }
  // A single extra sample of unspecified kind is alpha, as in Pillow and libtiff.
  const position = extra?.findIndex((value) => alphaKinds.includes(value)) ?? 0;
  const hasAlpha = samples > colours && position >= 0 && colours < 4;
  const isYCbCr =
    kind === photometric.yCbCr && tags.get(tiffTag.compression)?.[0] !== jpegCompression;
  if (isYCbCr) checkYCbCr(tags);
  return { tags, colours, alpha: hasAlpha ? colours + position : undefined, isYCbCr };
}

/** Samples that libvips would call corrupt, or that have no defined white. */
function checkSamples(tags: Map<number, number[]>): void {
  const bits = tags.get(tiffTag.bitsPerSample) ?? [1];
  if (bits.some((count) => count !== bits[0] || !readableBits.includes(count)))
    throw unsupported(`samples of ${[...new Set(bits)].join(" and ")} bits`);
  const formats = tags.get(tiffTag.sampleFormat) ?? [];
  const other = formats.find((value) => sampleFormats[value] !== undefined);
  if (other !== undefined) throw unsupported(`samples that are ${sampleFormats[other]}`);
}

function colourSamples(kind: number): number {
  if (kind === photometric.separated) return 4;
  return kind === photometric.rgb || kind === photometric.yCbCr || kind === photometric.palette
    ? 3
    : 1;
}

/** Video levels or coefficients of another standard would shift every colour. */
function checkYCbCr(tags: Map<number, number[]>): void {
  const near = (name: number, expected: readonly number[]) =>
    tags.get(name)?.every((value, i) => Math.abs(value - expected[i]) < 0.01) ?? true;
  const isDefault =
    near(tiffTag.yCbCrCoefficients, [0.299, 0.587, 0.114]) &&
    near(tiffTag.referenceBlackWhite, [0, 255, 128, 255, 128, 255]);
  if (!isDefault) throw unsupported("YCbCr of other coefficients or levels than JPEG's");
}

/** The name of a compression that the decoder may lack, for a message. */
export function compressionOf(tags: Map<number, number[]>): string | undefined {
  return compressions[tags.get(tiffTag.compression)?.[0] ?? 1];
}

function unsupported(feature: string): AppError {
  const message = `The TIFF holds ${feature}; save it as 8-bit or 16-bit grey, RGB or CMYK`;
  return new AppError("unsupported_media", message, { param: "image" });
}
