import { mkdir, open, rename } from "node:fs/promises";
import { dirname } from "node:path";
import { AppError } from "../errors.js";

/**
 * Writes a file whole or not at all: beside it, synced, then renamed. Whenever the process ends,
 * the old or the new file is there. Missing folders are created.
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
    await mkdir(dirname(path), { recursive: true });
    const part = `${path}.part`;
    const file = await open(part, "w", mode);
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(part, path);
  } catch (error) {
    throw storageError(error, path);
  }
}

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
