import { createHash } from "node:crypto";
import { closeSync, createReadStream, mkdirSync, openSync, readSync, statSync } from "node:fs";
import { open, rm } from "node:fs/promises";
import { join } from "node:path";
import { renameDurably } from "../../files/write-durably.js";

/**
 * A file of the folder `index`, trusted only because its record in the database matches.
 */
export interface DerivedFile {
  /** Never used twice. */
  file: string;
  bytes: number;
  sha256: string;
}

/** A millisecond of hashing at most: searches wait for it. */
const chunkBytes = 1 << 18;

/**
 * Writes a file so that a crash leaves it whole or not at all: temporary name, fsync, rename, fsync
 * of the folder.
 *
 * @param save  writes the file it is given, which does not exist yet; is called before this first
 *   waits.
 * @returns the record to store in the database; until that is committed, the file before stays
 *   valid.
 */
export async function writeDerived(
  folder: string,
  file: string,
  save: (path: string) => void | Promise<void>,
): Promise<DerivedFile> {
  mkdirSync(folder, { recursive: true });
  const temporary = join(folder, `${file}.part`);
  try {
    await save(temporary);
    const sha256 = createHash("sha256");
    let bytes = 0;
    for await (const chunk of createReadStream(temporary, { highWaterMark: chunkBytes })) {
      sha256.update(chunk as Buffer);
      bytes += (chunk as Buffer).length;
    }
    await flush(temporary);
    await renameDurably(temporary, join(folder, file));
    return { file, bytes, sha256: sha256.digest("hex") };
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** For `writeDerived`: in sequence, in small writes with other work between them. */
export function savingParts(parts: readonly Uint8Array[]): (path: string) => Promise<void> {
  return async (path) => {
    const handle = await open(path, "wx");
    try {
      for (const part of parts) {
        for (let at = 0; at < part.length; at += chunkBytes)
          await handle.writeFile(part.subarray(at, at + chunkBytes));
      }
    } finally {
      await handle.close();
    }
  };
}

/** Whether the file is exactly the one that the record describes. @returns what differs. */
export function derivedDamage(folder: string, record: DerivedFile): string | undefined {
  return readDerived(folder, record, oneBuffer(record.bytes));
}

/** The same buffer repeatedly, up to `bytes` in total. */
function* oneBuffer(bytes: number): Iterable<Uint8Array> {
  const chunk = new Uint8Array(chunkBytes);
  for (let left = bytes; left > 0; left -= chunkBytes) yield chunk.subarray(0, left);
}

/**
 * Reads the file into buffers of the same total length. Their contents are valid only if the file
 * matches the record.
 * @returns what differs.
 */
export function readDerived(
  folder: string,
  { file, bytes, sha256 }: DerivedFile,
  into: Iterable<Uint8Array>,
): string | undefined {
  const path = join(folder, file);
  try {
    const { size } = statSync(path);
    if (size !== bytes) return `${size} bytes, expected ${bytes}`;
    const hash = createHash("sha256");
    const handle = openSync(path, "r");
    try {
      for (const part of into) {
        for (let done = 0; done < part.length; ) {
          const read = readSync(handle, part, done, part.length - done, null);
          if (read === 0) return "it became shorter";
          done += read;
        }
        hash.update(part);
      }
    } finally {
      closeSync(handle);
    }
    return hash.digest("hex") === sha256 ? undefined : "sha256 differs";
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

async function flush(path: string) {
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
