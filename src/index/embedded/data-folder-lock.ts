import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { AppError } from "../../errors.js";
import { sizeIfThere } from "./durable-file.js";
import { damagedLock } from "./process-lock.js";
import { isBusy, isNoDatabase, openLock, takeLock } from "./sqlite.js";

/**
 * Makes this the only process that uses a data folder. The lock is an open SQLite transaction, so
 * the operating system releases it however the process ends; the pid file is only for the message.
 *
 * @returns a function that releases the lock.
 * @throws AppError storage_locked, with the pid of the process that has it; storage_failed when the
 *   folder cannot be written; storage_corrupt when the lock file is not empty.
 */
export async function lockDataFolder(dataDir: string): Promise<() => void> {
  const pidFile = join(dataDir, "crossmodal.pid");
  try {
    makeFolder(resolve(dataDir));
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code;
    throw new AppError("storage_failed", `Cannot create the data folder "${dataDir}" (${reason})`, {
      cause,
    });
  }
  const lockFile = join(dataDir, "crossmodal.lock");
  const lock = openLock(lockFile);
  try {
    await acquire(() => takeLock(lock));
    writePid(pidFile);
  } catch (error) {
    lock.close();
    if (isNoDatabase(error)) throw damagedLock(lockFile, error);
    if (isBusy(error)) {
      throw new AppError(
        "storage_locked",
        `The data folder "${dataDir}" is in use by process ${readPid(pidFile)}; stop it, or ` +
          "use it with --url",
      );
    }
    const reason = error instanceof Error ? error.message : String(error);
    throw new AppError(
      "storage_failed",
      `Cannot write to the data folder "${dataDir}" (${reason})`,
      { cause: error },
    );
  }
  return () => lock.close();
}

/**
 * Whether another process currently holds the data folder. Must not be called by the holder.
 */
export function isDataFolderLocked(dataDir: string): boolean {
  const file = join(dataDir, "crossmodal.lock");
  if (sizeIfThere(file) === undefined) return false;
  try {
    const lock = openLock(file);
    try {
      takeLock(lock);
      return false;
    } finally {
      lock.close();
    }
  } catch (error) {
    return isBusy(error);
  }
}

/**
 * Like `mkdir -p`. Node's own `recursive` never returns for a folder that cannot be made inside
 * /proc (Node 20.20).
 */
function makeFolder(folder: string) {
  if (statSync(folder, { throwIfNoEntry: false }) !== undefined) return;
  makeFolder(dirname(folder));
  mkdirSync(folder);
}

/** Allows a moment for a process that is ending, or has not written its pid yet. */
async function acquire(begin: () => void) {
  for (let attempt = 0; ; attempt++) {
    try {
      begin();
      return;
    } catch (error) {
      if (!isBusy(error) || attempt >= 4) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

/** On a full disk the folder can still be read: the pid is only for a message. */
function writePid(file: string) {
  try {
    writeFileSync(file, `${process.pid}\n`);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
  }
}

function readPid(file: string): string {
  try {
    return readFileSync(file, "utf8").trim();
  } catch {
    return "(unknown)";
  }
}
