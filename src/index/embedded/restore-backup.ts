import {
  closeSync,
  copyFileSync,
  fsyncSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { join } from "node:path";
import { AppError } from "../../errors.js";
import { storageError } from "../../files/write-durably.js";
import { lockDataFolder } from "./data-folder-lock.js";
import { checkSchemaVersion } from "./schema.js";
import { guard, openToRead } from "./sqlite.js";

/**
 * Puts a backup in the place of everything that a data folder holds. The backup is checked first; until the last step, a
 * rename, the folder is as it was.
 *
 * @throws AppError not_found, storage_corrupt (the backup), storage_locked (the folder is in use), already_exists unless `replace`.
 */
export async function restoreBackup(
  file: string,
  dataDir: string,
  options: { replace?: boolean } = {},
): Promise<void> {
  if (!exists(file))
    throw new AppError("not_found", `There is no backup file "${file}"`, { param: "file" });
  checkBackup(file);
  const unlock = await lockDataFolder(dataDir);
  try {
    const database = join(dataDir, "crossmodal.sqlite");
    if (exists(database) && options.replace !== true) {
      throw new AppError(
        "already_exists",
        `The data folder "${dataDir}" holds collections already`,
        {
          param: "data_dir",
        },
      );
    }
    copyDurably(file, `${database}.part`);
    // The old log belongs to the old database; with the new one it would be read as its continuation.
    for (const ending of ["-wal", "-shm"]) rmSync(database + ending, { force: true });
    renameSync(`${database}.part`, database);
    rmSync(join(dataDir, "index"), { recursive: true, force: true });
  } finally {
    unlock();
  }
}

/** @throws AppError storage_corrupt unless the file is a whole database of this version. */
export function checkBackup(file: string): void {
  const db = openToRead(file);
  try {
    const found = guard(
      () => db.prepare("PRAGMA quick_check").get() as { quick_check: string },
      file,
    );
    if (found.quick_check !== "ok")
      throw new AppError(
        "storage_corrupt",
        `The backup "${file}" is damaged: ${found.quick_check}`,
      );
    checkSchemaVersion(db);
  } finally {
    db.close();
  }
}

/** @throws AppError storage_full, storage_failed; then nothing is left of the copy. */
function copyDurably(from: string, to: string) {
  try {
    copyFileSync(from, to);
    const copy = openSync(to, "r+");
    try {
      fsyncSync(copy);
    } finally {
      closeSync(copy);
    }
  } catch (error) {
    rmSync(to, { force: true });
    throw storageError(error, to);
  }
}

function exists(file: string): boolean {
  return statSync(file, { throwIfNoEntry: false }) !== undefined;
}
