import { mkdir, open, rename, rm } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { AppError } from "../errors.js";

/**
 * Writes a file completely or not at all: beside it, synced, then renamed. Whenever the process
 * ends, either the old or the new file exists; once this returns it is the new one, even after a
 * power cut. Missing folders are created.
 *
 * @param mode  the permissions of the file; the system's default when left out.
 * @throws AppError `storage_full` when the disk is full, `storage_failed` when the file cannot be
 *   written.
 */
export async function writeDurably(
  path: string,
  bytes: Uint8Array | string,
  { mode }: { mode?: number } = {},
): Promise<void> {
  try {
    const folder = resolve(dirname(path));
    const top = await makeFolders(folder);
    const part = `${path}.part`;
    // What is left of an earlier write, or was put there: a link would lead elsewhere
    await rm(part, { force: true });
    const file = await open(part, "wx", mode);
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(part, path);
    await syncFolders(folder, top);
  } catch (error) {
    throw storageError(error, path);
  }
}

/** Gives a file or folder its name, which survives a power cut. Missing folders are created. */
export async function renameDurably(from: string, to: string): Promise<void> {
  const folder = resolve(dirname(to));
  const top = await makeFolders(folder);
  await rename(from, to);
  await syncFolders(folder, top);
}

/** @returns the highest folder with a new entry: `folder` itself when it was there. */
async function makeFolders(folder: string): Promise<string> {
  const created = await mkdir(folder, { recursive: true });
  return created === undefined ? folder : dirname(created);
}

async function syncFolders(folder: string, top: string): Promise<void> {
  await syncFolder(folder);
  if (folder !== top) await syncFolders(dirname(folder), top);
}

/** Makes what was named, renamed or removed in a folder survive a power cut. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } catch (error) {
    if (!isUnsyncable(error)) throw error;
  } finally {
    await handle.close();
  }
}

/** Some network file systems cannot sync a folder. */
export const isUnsyncable = (error: unknown) =>
  ["EINVAL", "ENOTSUP"].includes((error as NodeJS.ErrnoException).code ?? "");

/** A failure of the file system as an AppError. */
export function storageError(cause: unknown, path: string): AppError {
  const reason = (cause as NodeJS.ErrnoException).code ?? String(cause);
  if (reason === "ENOSPC" || reason === "EDQUOT") {
    return new AppError("storage_full", `The disk is full: "${path}" could not be written`, {
      cause,
    });
  }
  return new AppError("storage_failed", `"${path}" cannot be read or written (${reason})`, {
    cause,
  });
}
