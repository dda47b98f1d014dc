/** Numbers of the tags that decide how a TIFF is decoded. Source: TIFF 6.0, section 8 and 18-21. */
export const tiffTag = {
  width: 256,
  height: 257,
  bitsPerSample: 258,
  compression: 259,
  photometric: 262,
  orientation: 274,
  samplesPerPixel: 277,
  extraSamples: 338,
  sampleFormat: 339,
  yCbCrCoefficients: 529,
  referenceBlackWhite: 532,
} as const;

/** Bytes of one value by type: BYTE, ASCII, SHORT, LONG, RATIONAL, …; 0 is unknown. */
const typeBytes = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8];
/** No directory of a picture needs more, and none of the tags above holds more values. */
const maxEntries = 4096;
const maxValues = 64;

interface Entry {
  tag: number;
  type: number;
  values: number;
  /** The position of its values, according to the entry. */
  from: number;
  isLittle: boolean;
}

/**
 * The entries of the first directory of a TIFF, of a BigTIFF, or of the EXIF block in another
 * format: as many as there are, where it is cut short. The decoder will say so.
 */
function* firstDirectory(view: DataView): Generator<Entry> {
  try {
    yield* wholeDirectory(view);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
}

/** @throws RangeError where the directory is cut short. */
function* wholeDirectory(view: DataView): Generator<Entry> {
  const isLittle = view.getUint16(0, true) === 0x4949;
  const isBig = view.getUint16(2, isLittle) === 43;
  const offsetAt = (at: number) =>
    isBig ? Number(view.getBigUint64(at, isLittle)) : view.getUint32(at, isLittle);
  const start = offsetAt(isBig ? 8 : 4);
  const count = isBig ? offsetAt(start) : view.getUint16(start, isLittle);
  const entryBytes = isBig ? 20 : 12;
  for (let i = 0; i < Math.min(count, maxEntries); i++) {
    const at = start + (isBig ? 8 : 2) + i * entryBytes;
    const [tag, type] = [view.getUint16(at, isLittle), view.getUint16(at + 2, isLittle)];
    const values = Math.min(offsetAt(at + 4), maxValues);
    const valueAt = at + (isBig ? 12 : 8);
    const fits = values * (typeBytes[type] ?? 0) <= (isBig ? 8 : 4);
    yield { tag, type, values, from: fits ? valueAt : offsetAt(valueAt), isLittle };
  }
}

const viewOf = (bytes: Uint8Array) =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/**
 * @param bytes  a TIFF, or the EXIF block of another format.
 * @returns numeric values by tag; values outside the file or not numeric are skipped.
 */
export function readTiffTags(bytes: Uint8Array): Map<number, number[]> {
  const tags = new Map<number, number[]>();
  const view = viewOf(bytes);
  for (const entry of firstDirectory(view)) {
    const numbers = readValues(view, entry);
    if (numbers.length > 0) tags.set(entry.tag, numbers);
  }
  return tags;
}

/**
 * Replaces an orientation that is none of the eight by 1 (upright): libtiff would refuse it, and
 * Pillow reads it. The tag must have been read.
 */
export function withOrientationInRange(bytes: Uint8Array): Uint8Array {
  const mended = Uint8Array.from(bytes);
  for (const { tag, type, from, isLittle } of firstDirectory(viewOf(bytes))) {
    const isInFile = from + 2 <= bytes.length; // of a tag that appears twice, one may be
    if (tag === tiffTag.orientation && type === 3 && isInFile)
      viewOf(mended).setUint16(from, 1, isLittle);
  }
  return mended;
}

/** The numbers of one entry; none when they are outside the file; other entries are still read. */
function readValues(
  view: DataView,
  { from, type, values, isLittle }: Omit<Entry, "tag">,
): number[] {
  const size = typeBytes[type] ?? 0;
  if (from + values * size > view.byteLength) return [];
  const one = (at: number): number | undefined => {
    if (type === 3) return view.getUint16(at, isLittle);
    if (type === 4) return view.getUint32(at, isLittle);
    if (type === 16) return Number(view.getBigUint64(at, isLittle));
    if (type === 5) return view.getUint32(at, isLittle) / view.getUint32(at + 4, isLittle);
    return type === 1 ? view.getUint8(at) : undefined;
  };
  const read = Array.from({ length: values }, (_, i) => one(from + i * size));
  return read.filter((value) => value !== undefined);
}
