import type { Metadata, Sharp } from "sharp";
import { readTiffTags, tiffTag } from "./tiff-tags.js";

/**
 * The orientation that `autoOrient` overlooks, since it only reads EXIF chunks: one in XMP, or in
 * the text that ImageMagick keeps EXIF in. EXIF wins over XMP, as in Pillow. Source: Pillow 13,
 * Image.getexif and ImageOps.exif_transpose.
 *
 * @param tags  those of a TIFF, for which libvips reports orientation 1 where there is none.
 * @returns EXIF's number, 1 (upright) to 8.
 */
export function overlookedOrientation(header: Metadata, tags?: Map<number, number[]>): number {
  const hasExif =
    tags === undefined ? header.orientation !== undefined : tags.has(tiffTag.orientation);
  if (hasExif) return 1;
  const found = orientationOfText(header) ?? orientationOfXmp(header);
  return found !== undefined && found >= 1 && found <= 8 ? found : 1;
}

/** In a PNG's text "Raw profile type exif": a name, a length, then EXIF as hexadecimal digits. */
function orientationOfText({ comments = [] }: Metadata): number | undefined {
  const text = comments.find(({ keyword }) => /^Raw profile type (exif|APP1)$/.test(keyword))?.text;
  const hex = text?.split("\n").slice(3).join("");
  if (hex === undefined) return undefined;
  const bytes = Buffer.from(hex, "hex");
  const exif = bytes.subarray(0, 4).toString("latin1") === "Exif" ? bytes.subarray(6) : bytes;
  return readTiffTags(exif).get(tiffTag.orientation)?.[0];
}

/** As an attribute or as an element. */
function orientationOfXmp({ xmp, format }: Metadata): number | undefined {
  // HEIF has its own orientation, which libheif has already applied.
  if (xmp === undefined || format === "heif") return undefined;
  const found = /tiff:Orientation(?:\s*=\s*["']|>)\s*([0-9])/.exec(xmp.toString("latin1"));
  return found === null ? undefined : Number(found[1]);
}

/** Mirrors and rotates a picture so that it is upright. Flips come before turns in sharp. */
export function turnUpright(picture: Sharp, orientation: number): Sharp {
  switch (orientation) {
    case 2:
      return picture.flop();
    case 3:
      return picture.rotate(180);
    case 4:
      return picture.flip();
    case 5:
      return picture.flip().rotate(90);
    case 6:
      return picture.rotate(90);
    case 7:
      return picture.flip().rotate(270);
    case 8:
      return picture.rotate(270);
    default:
      return picture;
  }
}
