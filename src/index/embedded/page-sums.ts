import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { crc32 } from "node:zlib";

/**
 * A checksum (CRC-32) of every page of a database as of its last commit, and how far its log
 * reached then.
 */
export interface PageSums {
  /** Bytes. */
  pageSize: number;
  pageCount: number;
  /** [pages], at least `pageCount`: pages beyond stay in the file until the next checkpoint. */
  sums: Uint32Array;
  /** Of the log that the last commit is in: 16 hexadecimal digits, or "" when there was none. */
  salt: string;
  /** Frames of that log up to the last commit. */
  frames: number;
}

/** What one commit changed. */
export interface CommitEntry extends Pick<PageSums, "pageCount" | "salt" | "frames"> {
  pages: [page: number, sum: number][];
}

/** Applies a commit. A page never written is a hole in the file: zeros. */
export function applyCommit(sums: PageSums, { pages, ...position }: CommitEntry): void {
  if (position.pageCount > sums.sums.length) {
    const old = sums.sums;
    sums.sums = new Uint32Array(position.pageCount).fill(zeroSum(sums.pageSize));
    sums.sums.set(old);
  }
  for (const [page, sum] of pages) if (page <= sums.sums.length) sums.sums[page - 1] = sum;
  Object.assign(sums, position);
}

// The file `crossmodal.sums`, and what follows the database in a backup: the sums as of a
// checkpoint, then one entry for each commit since. All numbers are 32 bits, little-endian; each
// part ends with a CRC-32 of itself.
//   sums:   "CMSUMS1\n", page size, pages, salt (8 bytes), frames, a sum for each page, CRC
//   entry:  changed pages n, pages of the database, salt, frames, n times page and sum, CRC

const magic = "CMSUMS1\n";
const headBytes = 28;
const entryHeadBytes = 20;

export function encodeSums({ pageSize, pageCount, sums, salt, frames }: PageSums): Buffer {
  const bytes = Buffer.alloc(sumsBytes(pageCount));
  bytes.write(magic, "latin1");
  bytes.writeUInt32LE(pageSize, 8);
  bytes.writeUInt32LE(pageCount, 12);
  bytes.write(salt, 16, "hex");
  bytes.writeUInt32LE(frames, 24);
  for (let i = 0; i < pageCount; i++) bytes.writeUInt32LE(sums[i], headBytes + i * 4);
  return sealed(bytes);
}

/** Size in bytes of `encodeSums` for this many pages. */
export const sumsBytes = (pageCount: number) => headBytes + pageCount * 4 + 4;

export function encodeEntry({ pages, pageCount, salt, frames }: CommitEntry): Buffer {
  const bytes = Buffer.alloc(entryHeadBytes + pages.length * 8 + 4);
  bytes.writeUInt32LE(pages.length, 0);
  bytes.writeUInt32LE(pageCount, 4);
  bytes.write(salt, 8, "hex");
  bytes.writeUInt32LE(frames, 16);
  pages.forEach(([page, sum], i) => {
    bytes.writeUInt32LE(page, entryHeadBytes + i * 8);
    bytes.writeUInt32LE(sum, entryHeadBytes + i * 8 + 4);
  });
  return sealed(bytes);
}

/**
 * @returns the sums and the bytes they take, up to the first entry that is not whole: a power cut
 *   leaves entries that were not synced unfinished, or with holes, and the log has what they
 *   noted. Undefined when the sums of the checkpoint are damaged.
 */
export function decodeSums(bytes: Buffer): { sums: PageSums; end: number } | undefined {
  if (bytes.length < headBytes || bytes.toString("latin1", 0, 8) !== magic) return undefined;
  const pageCount = bytes.readUInt32LE(12);
  const baseEnd = sumsBytes(pageCount);
  const base = bytes.subarray(0, baseEnd);
  if (bytes.length < baseEnd || !isWhole(base)) return undefined;
  const sums: PageSums = {
    pageSize: base.readUInt32LE(8),
    pageCount,
    salt: base.toString("hex", 16, 24),
    frames: base.readUInt32LE(24),
    sums: Uint32Array.from({ length: pageCount }, (_, i) => base.readUInt32LE(headBytes + i * 4)),
  };
  let at = baseEnd;
  while (at < bytes.length) {
    const rest = bytes.subarray(at);
    if (rest.length < entryHeadBytes) break;
    const count = rest.readUInt32LE(0);
    const end = entryHeadBytes + count * 8 + 4;
    if (rest.length < end) break;
    const entry = rest.subarray(0, end);
    if (!isWhole(entry)) break;
    applyCommit(sums, {
      pageCount: entry.readUInt32LE(4),
      salt: entry.toString("hex", 8, 16),
      frames: entry.readUInt32LE(16),
      pages: Array.from({ length: count }, (_, i) => [
        entry.readUInt32LE(entryHeadBytes + i * 8),
        entry.readUInt32LE(entryHeadBytes + i * 8 + 4),
      ]),
    });
    at += end;
  }
  return { sums, end: at };
}

function sealed(bytes: Buffer): Buffer {
  bytes.writeUInt32LE(crc32(bytes.subarray(0, -4)), bytes.length - 4);
  return bytes;
}

function isWhole(bytes: Buffer): boolean {
  return crc32(bytes.subarray(0, -4)) === bytes.readUInt32LE(bytes.length - 4);
}

const zeroSum = (pageSize: number) => crc32(Buffer.alloc(pageSize));

/** Sums of the first `pages` pages of a file. */
export function sumPages(file: string, pageSize: number, pages: number): Uint32Array {
  const sums = new Uint32Array(pages);
  forEachPage(file, pageSize, { first: 1, last: pages }, (page, content) => {
    sums[page - 1] = crc32(content);
  });
  return sums;
}

/**
 * Compares a database file with its sums.
 * @param inLog  pages that may differ, since the log holds them.
 * @returns the numbers of the pages that differ or are missing.
 */
export function damagedPages(
  file: string,
  { pageSize, pageCount, sums }: PageSums,
  inLog: ReadonlySet<number> = new Set(),
  first = 1,
  last = pageCount,
): number[] {
  const damaged: number[] = [];
  const range = { first, last: Math.min(last, pageCount) };
  const read = forEachPage(file, pageSize, range, (page, content) => {
    if (!inLog.has(page) && crc32(content) !== sums[page - 1]) damaged.push(page);
  });
  const hole = zeroSum(pageSize);
  for (let page = read + 1; page <= range.last; page++) {
    // The checkpoint gives the file this length
    const willBeHole = inLog.size > 0 && sums[page - 1] === hole;
    if (!inLog.has(page) && !willBeHole) damaged.push(page);
  }
  return damaged;
}

/** @returns the last page that the file holds completely, `first - 1` if there is none. */
function forEachPage(
  file: string,
  pageSize: number,
  { first, last }: { first: number; last: number },
  use: (page: number, content: Uint8Array) => void,
): number {
  const handle = openSync(file, "r");
  try {
    const lastWhole = Math.min(last, Math.floor(fstatSync(handle).size / pageSize));
    const chunk = Buffer.alloc(pageSize * Math.max(1, Math.floor((1 << 20) / pageSize)));
    let page = first;
    while (page <= lastWhole) {
      const wanted = Math.min(chunk.length, (lastWhole - page + 1) * pageSize);
      const read = Math.floor(readSync(handle, chunk, 0, wanted, (page - 1) * pageSize) / pageSize);
      if (read === 0) break;
      for (let i = 0; i < read; i++)
        use(page + i, chunk.subarray(i * pageSize, (i + 1) * pageSize));
      page += read;
    }
    return page - 1;
  } finally {
    closeSync(handle);
  }
}
