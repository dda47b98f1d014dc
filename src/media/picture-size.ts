import { readTiffTags, tiffTag } from "./image/tiff-tags.js";

/** A JPEG may hold any number of segments before its frame; real ones hold a few dozen. */
const maxSegments = 10_000;
/** The boxes of an AVIF's or HEIC's header are within these first bytes. */
const heifHeaderBytes = 1 << 20;

/**
 * Width and height in pixels according to a picture's header: nothing is decoded, and the work is
 * bounded whatever the bytes are.
 *
 * npm's `image-size` was considered: on hostile bytes it creates a view of the rest of the file for
 * each byte of a JPEG, and reads a TIFF's tags beyond the end of their directory.
 *
 * @returns undefined when the format is unknown, or its header cut short or damaged.
 */
export function pictureSize(bytes: Uint8Array): { width: number; height: number } | undefined {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    if (file.readUInt16BE(0) === 0xffd8) return jpegSize(file);
    const head = file.toString("latin1", 0, 4);
    if (head === "\x89PNG") return { width: file.readUInt32BE(16), height: file.readUInt32BE(20) };
    if (head === "GIF8") return { width: file.readUInt16LE(6), height: file.readUInt16LE(8) };
    if (head === "RIFF") return webpSize(file);
    if (["II*\0", "II+\0", "MM\0*", "MM\0+"].includes(head)) return tiffSize(file);
    if (file.toString("latin1", 4, 8) === "ftyp") return heifSize(file);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error; // the header ends too early
  }
  return undefined;
}

/** The first frame header. Source: ITU T.81, annex B. */
function jpegSize(file: Buffer) {
  let at = 2;
  for (let segment = 0; segment < maxSegments; segment++) {
    at = file.indexOf(0xff, at);
    if (at < 0) return undefined;
    const marker = file.readUInt8(at + 1);
    const isAlone = marker === 0xff || marker <= 0x01 || (marker >= 0xd0 && marker <= 0xd9);
    if (isAlone) {
      at += 1;
      continue;
    }
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (isFrame) return { height: file.readUInt16BE(at + 5), width: file.readUInt16BE(at + 7) };
    at += 2 + file.readUInt16BE(at + 2);
  }
  return undefined;
}

/** Source: RFC 9649. */
function webpSize(file: Buffer) {
  const chunk = file.toString("latin1", 12, 16);
  if (chunk === "VP8X")
    return { width: 1 + file.readUIntLE(24, 3), height: 1 + file.readUIntLE(27, 3) };
  if (chunk === "VP8L") {
    const bits = file.readUInt32LE(21);
    return { width: 1 + (bits & 0x3fff), height: 1 + ((bits >>> 14) & 0x3fff) };
  }
  if (chunk === "VP8 ")
    return { width: file.readUInt16LE(26) & 0x3fff, height: file.readUInt16LE(28) & 0x3fff };
  return undefined;
}

function tiffSize(file: Buffer) {
  const tags = readTiffTags(file);
  const [width, height] = [tags.get(tiffTag.width)?.[0], tags.get(tiffTag.height)?.[0]];
  return width === undefined || height === undefined ? undefined : { width, height };
}

/** The largest size in an `ispe` box: that of the whole, where it is made of tiles. */
function heifSize(file: Buffer) {
  let largest: { width: number; height: number } | undefined;
  const header = file.subarray(0, heifHeaderBytes);
  for (let at = header.indexOf("ispe"); at >= 0; at = header.indexOf("ispe", at + 4)) {
    if (at + 16 > header.length) break;
    const [width, height] = [header.readUInt32BE(at + 8), header.readUInt32BE(at + 12)];
    if (largest === undefined || width * height > largest.width * largest.height)
      largest = { width, height };
  }
  return largest;
}
