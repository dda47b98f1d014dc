import { createHash } from "node:crypto";
import {
  closeSync,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readSync,
  rmSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import { AppError } from "../errors.js";
import type { ContentFile, ContentFiles } from "./content-files.js";
import { storageError } from "./write-durably.js";

// Content files one after the other, as they follow the database in a backup. Numbers are
// little-endian:
//   "CMMEDIA1", then for each file sha256 (32 bytes), length (64 bits), its bytes,
//   then 32 zero bytes and the number of files (64 bits).

const magic = Buffer.from("CMMEDIA1", "latin1");
const headBytes = 40;
const chunkBytes = 2 ** 18;

export const archiveBytes = (files: readonly ContentFile[]): number =>
  magic.length + files.reduce((sum, { bytes }) => sum + headBytes + bytes, 0) + headBytes;

/** @throws Error when a file is gone, cut or longer than it was listed. */
export async function* writeArchive(
  folder: ContentFiles,
  files: readonly ContentFile[],
): AsyncGenerator<Uint8Array> {
  yield magic;
  for (const { sha256, bytes } of files) {
    yield head(Buffer.from(sha256, "hex"), bytes);
    const handle = await folder.open(sha256);
    if (handle === undefined)
      throw new Error(`The kept file ${sha256} was removed while it was read`);
    try {
      for (let left = bytes; left > 0; ) {
        const chunk = new Uint8Array(Math.min(chunkBytes, left));
        const { bytesRead } = await handle.read(chunk, 0, chunk.length, null);
        if (bytesRead === 0) throw new Error(`The kept file ${sha256} is cut`);
        left -= bytesRead;
        yield chunk.subarray(0, bytesRead);
      }
    } finally {
      await handle.close();
    }
  }
  yield head(Buffer.alloc(32), files.length);
}

function head(sha256: Buffer, number: number): Buffer {
  const bytes = Buffer.alloc(headBytes);
  sha256.copy(bytes);
  bytes.writeBigUInt64LE(BigInt(number), 32);
  return bytes;
}

/** What an archive holds: how many files, and those whose contents differ from their hash. */
export interface ArchiveContents {
  count: number;
  damaged: string[];
}

/**
 * Checks the archive at the end of a file, and writes its intact files to a folder if one is given.
 * @param start  where it begins; a file that ends there has none.
 * @param except  files that are damaged, as is known: they are not written first.
 * @throws AppError `storage_corrupt` when it is not an archive, or is truncated; `storage_full`,
 *   `storage_failed`.
 */
export function readArchive(
  file: string,
  start: number,
  { into, except = [] }: { into?: ContentFiles; except?: readonly string[] } = {},
): ArchiveContents {
  const isLeftOut = new Set(except);
  const source = openSync(file, "r");
  let at = start;
  const read = (length: number): Buffer => {
    const bytes = Buffer.alloc(length);
    const count = readSync(source, bytes, 0, length, at);
    if (count < length) throw corrupt(file, `it is cut at ${at + count} bytes`);
    at += length;
    return bytes;
  };
  try {
    const { size } = fstatSync(source);
    if (size === start) return { count: 0, damaged: [] };
    if (!read(magic.length).equals(magic))
      throw corrupt(file, "it is followed by something other than media");
    const damaged: string[] = [];
    for (let count = 0; ; count++) {
      const bytes = read(headBytes);
      const sha256 = bytes.toString("hex", 0, 32);
      const length = Number(bytes.readBigUInt64LE(32));
      if (/^0+$/.test(sha256)) {
        if (length !== count || at !== size)
          throw corrupt(file, "its end is not where it should be");
        return { count, damaged };
      }
      if (length > size - at) throw corrupt(file, `it has ${size} bytes, fewer than it should`);
      const path = isLeftOut.has(sha256) ? undefined : into?.pathOf(sha256);
      if (copy(read, length, path) === sha256) continue;
      damaged.push(sha256);
      if (path !== undefined) rmSync(path);
    }
  } finally {
    closeSync(source);
  }
}

/** @returns the sha256 of what was copied. */
function copy(read: (length: number) => Buffer, length: number, path: string | undefined): string {
  const hash = createHash("sha256");
  if (path !== undefined) mkdirSync(dirname(path), { recursive: true });
  const target = path === undefined ? undefined : openSync(path, "w");
  try {
    for (let left = length; left > 0; ) {
      const chunk = read(Math.min(chunkBytes, left));
      hash.update(chunk);
      left -= chunk.length;
      if (target !== undefined)
        for (let done = 0; done < chunk.length; ) done += writeSync(target, chunk, done);
    }
    if (target !== undefined) fsyncSync(target);
  } catch (error) {
    throw error instanceof AppError || path === undefined ? error : storageError(error, path);
  } finally {
    if (target !== undefined) closeSync(target);
  }
  return hash.digest("hex");
}

const corrupt = (file: string, why: string) =>
  new AppError("storage_corrupt", `The backup "${file}" is damaged: ${why}`);
