/** Chunks that may hold an orientation: EXIF, XMP, and the texts that ImageMagick keeps EXIF in. */
const metadata = new Set(["eXIf", "iTXt", "tEXt", "zTXt"]);
const signatureBytes = 8;
/** Length, type and checksum around the content of a chunk. */
const frameBytes = 12;

/**
 * Moves a PNG's metadata in front of its pixels: libvips ignores later metadata, where ExifTool
 * puts it. Other files are returned unchanged. Source: PNG, third edition, section 5.3.
 */
export function withEarlyMetadata(bytes: Uint8Array): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let pixelsStart: number | undefined;
  const late: Uint8Array[] = [];
  for (let at = signatureBytes; at + frameBytes <= bytes.length; ) {
    const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    const end = at + frameBytes + view.getUint32(at);
    if (type === "IDAT") pixelsStart ??= at;
    if (pixelsStart !== undefined && metadata.has(type)) late.push(bytes.subarray(at, end));
    at = end;
  }
  if (pixelsStart === undefined || late.length === 0) return bytes;
  return Buffer.concat([bytes.subarray(0, pixelsStart), ...late, bytes.subarray(pixelsStart)]);
}
