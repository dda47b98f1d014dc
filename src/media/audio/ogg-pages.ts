import { oggCrc } from "./crc.js";

/** A page whose checksum is right. Source: RFC 3533, section 6. */
export interface OggPage {
  serial: number;
  sequence: number;
  /**
   * Position of the end of the last packet that ends here; -1 where none does. Its unit is the
   * codec's.
   */
  granule: number;
  isFirst: boolean;
  isLast: boolean;
  /** Whether it begins with the rest of a packet of the page before. */
  continues: boolean;
  /** The parts of packets in it; the last one goes on in the next page unless `endsWhole`. */
  segments: Uint8Array[];
  endsWhole: boolean;
  start: number;
}

export interface PageScan {
  pages: OggPage[];
  /** Places where bytes are that are no page, or one whose checksum is wrong. */
  damagedBytes: number;
  /** The file ends inside of a page. */
  isCut: boolean;
}

const headerBytes = 27;

/** The pages of a file; what lies between them is counted. */
export function scanPages(bytes: Uint8Array): PageScan {
  const scan: PageScan = { pages: [], damagedBytes: 0, isCut: false };
  for (let at = 0; at < bytes.length; ) {
    const length = pageLength(bytes, at);
    if (length !== undefined && at + length > bytes.length) {
      // Cut short, or a length that is wrong: then pages follow.
      if (nextMark(bytes, at + 1) < 0) {
        scan.isCut = true;
        return scan;
      }
    } else if (length !== undefined) {
      const page = readPage(bytes, at, length);
      if (page !== undefined) {
        scan.pages.push(page);
        at += length;
        continue;
      }
    }
    const next = nextMark(bytes, at + 1);
    const end = next < 0 ? bytes.length : next;
    if (bytes.subarray(at, end).some((byte) => byte !== 0)) {
      scan.damagedBytes += end - at;
      if (next < 0 && bytes.length - at < headerBytes + 255 && isMark(bytes, at)) scan.isCut = true;
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
    if (length === undefined || at + length > bytes.length) continue;
    if (readPage(bytes, at, length) !== undefined) return at;
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
 * From the header and its table of lacing values; undefined where no page begins or its header is
 * cut.
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

function readPage(bytes: Uint8Array, at: number, length: number): OggPage | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, length);
  if (oggCrc(bytes, at, at + length) !== view.getUint32(22, true)) return undefined;
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
    endsWhole: count === 0 || view.getUint8(headerBytes + count - 1) < 255,
    start: at,
  };
}
