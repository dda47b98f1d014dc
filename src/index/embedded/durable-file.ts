import {
  closeSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import { isUnsyncable, storageError } from "../../files/write-durably.js";

// Files of the data folder, written by the store's thread: synchronously, between two turns.

/**
 * Writes a file whole or not at all, as `writeDurably` does. @throws AppError storage_full,
 * storage_failed.
 */
export function writeDurablySync(path: string, bytes: Uint8Array): void {
  const part = `${path}.part`;
  try {
    rmSync(part, { force: true }); // a link of this name would lead elsewhere
    const handle = openSync(part, "wx");
    try {
      for (let done = 0; done < bytes.length; ) done += writeSync(handle, bytes, done);
      fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
    renameSync(part, path);
    syncFolder(dirname(path));
  } catch (error) {
    rmSync(part, { force: true });
    throw storageError(error, path);
  }
}

/** Makes renames in a folder durable. */
export function syncFolder(folder: string): void {
  const handle = openSync(folder, "r");
  try {
    fsyncSync(handle);
  } catch (error) {
    if (!isUnsyncable(error)) throw error;
  } finally {
    closeSync(handle);
  }
}

export function readIfThere(file: string): Buffer | undefined {
  try {
    return readFileSync(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw storageError(error, file);
  }
}

/** Bytes of a file; undefined when there is none. */
export function sizeIfThere(file: string): number | undefined {
  try {
    return statSync(file, { throwIfNoEntry: false })?.size;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOTDIR") return undefined; // below a file
    throw error;
  }
}
