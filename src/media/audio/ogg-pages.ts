import { oggCrc } from "./crc.js";
import { mendPage } from "./mend-page.js";

/** Source: RFC 3533, section 6. */
export interface OggPage {
  /**
   * Its checksum is right, or was repaired. Packets of other pages must be checked by the codec.
   */
  isWhole: boolean;
  serial: number;
  sequence: number;
  /**
   * Position of the end of the last packet that ends here, in the codec's unit; -1 if none does.
   */
  granule: number;
  isFirst: boolean;
  isLast: boolean;
  /** Whether it begins with the rest of the previous page's packet. */
  continues: boolean;
  /** The parts of packets in it; the last one continues on the next page unless `endsWhole`. */
  segments: Uint8Array[];
  endsWhole: boolean;
}

export interface PageScan {
  pages: OggPage[];
  /** Bytes that are not a page, or a page with a wrong checksum. */
  damagedBytes: number;
  /** Pages in which one byte was wrong. */
  mendedPages: number;
  /** The file ends inside of a page. */
  isCut: boolean;
}

const headerBytes = 27;

/**
 * The pages of a file. One with a wrong checksum is repaired if possible, otherwise read as far as
 * its header can be trusted; other bytes between pages are counted.
 */
export function scanPages(bytes: Uint8Array): PageScan {
  const scan: PageScan = { pages: [], damagedBytes: 0, mendedPages: 0, isCut: false };
  const serials = new Set<number>();
  const add = (page: OggPage) => {
    serials.add(page.serial);
    scan.pages.push(page);
  };
  for (let at = 0; at < bytes.length; ) {
    const length = pageLength(bytes, at);
    if (length !== undefined && hasRightSum(bytes, at, length)) {
      add(readPage(bytes, at, length));
      at += length;
      continue;
    }
    const next = nextMark(bytes, at + 1);
    const end = next < 0 ? bytes.length : next;
    const piece = bytes.subarray(at, end);
    const mended = mendPage(piece);
    if (mended !== undefined && pageLength(mended, 0) === mended.length) {
      scan.mendedPages++;
      add(readPage(mended, 0, mended.length));
    } else if (piece.some((byte) => byte !== 0)) {
      const isCut = next < 0 && isMark(bytes, at) && length !== piece.length;
      scan.isCut ||= isCut;
      if (!isCut) scan.damagedBytes += piece.length;
      const page = readDamagedPage(piece);
      // The serial number of an open stream indicates that it is a page at all.
      if (page !== undefined && serials.has(page.serial)) add(page);
    }
    at = end;
  }
  return scan;
}

/**
 * Whether a page with the right checksum begins within the first bytes of a file, and where; -1 for
 * none.
 */
export function findPage(bytes: Uint8Array, within: number): number {
  for (
    let at = isMark(bytes, 0) ? 0 : nextMark(bytes, 1);
    at >= 0 && at <= within;
    at = nextMark(bytes, at + 1)
  ) {
    const length = pageLength(bytes, at);
    if (length !== undefined && hasRightSum(bytes, at, length)) return at;
  }
  return -1;
}

function isMark(bytes: Uint8Array, at: number): boolean {
  return (
    bytes[at] === 0x4f && bytes[at + 1] === 0x67 && bytes[at + 2] === 0x67 && bytes[at + 3] === 0x53
  );
}

function nextMark(bytes: Uint8Array, from: number): number {
  for (let at = bytes.indexOf(0x4f, from); at >= 0; at = bytes.indexOf(0x4f, at + 1))
    if (isMark(bytes, at)) return at;
  return -1;
}

/**
 * From the header and its table of lacing values; undefined if no page begins there or its header
 * is cut.
 */
function pageLength(bytes: Uint8Array, at: number): number | undefined {
  if (!isMark(bytes, at) || bytes[at + 4] !== 0 || at + headerBytes > bytes.length)
    return undefined;
  const count = bytes[at + 26];
  let length = headerBytes + count;
  if (at + length > bytes.length) return undefined;
  for (let i = 0; i < count; i++) length += bytes[at + headerBytes + i];
  return length;
}

function hasRightSum(bytes: Uint8Array, at: number, length: number): boolean {
  if (at + length > bytes.length) return false;
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, length);
  return oggCrc(bytes, at, at + length) === view.getUint32(22, true);
}

function readPage(bytes: Uint8Array, at: number, length: number): OggPage {
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, length);
  const flags = view.getUint8(5);
  const count = view.getUint8(26);
  const segments: Uint8Array[] = [];
  let from = headerBytes + count;
  let size = 0;
  for (let i = 0; i < count; i++) {
    const lacing = view.getUint8(headerBytes + i);
    size += lacing;
    if (lacing === 255 && i + 1 < count) continue;
    segments.push(bytes.subarray(at + from, at + from + size));
    from += size;
    size = 0;
  }
  return {
    serial: view.getUint32(14, true),
    sequence: view.getUint32(18, true),
    granule: Number(view.getBigInt64(6, true)),
    isFirst: (flags & 2) !== 0,
    isLast: (flags & 4) !== 0,
    continues: (flags & 1) !== 0,
    segments,
    isWhole: true,
    endsWhole: count === 0 || view.getUint8(headerBytes + count - 1) < 255,
  };
}

/**
 * The rest of a damaged or truncated page, as one segment: packet sizes are as unreliable as
 * everything else. Its position is that of a packet that may be missing.
 */
function readDamagedPage(bytes: Uint8Array): OggPage | undefined {
  if (pageLength(bytes, 0) === undefined) return undefined;
  const segments = [bytes.subarray(headerBytes + bytes[26])];
  const page = readPage(bytes, 0, bytes.length);
  return { ...page, isWhole: false, isFirst: false, isLast: false, granule: -1, segments };
}
