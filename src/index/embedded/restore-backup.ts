import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { basename, join } from "node:path";
import { AppError } from "../../errors.js";
import { checkRoom } from "../../files/check-room.js";
import { type ArchiveContents, readArchive } from "../../files/content-archive.js";
import { ContentFiles } from "../../files/content-files.js";
import { storageError } from "../../files/write-durably.js";
import { checkBackup } from "./backup-file.js";
import { lockDataFolder } from "./data-folder-lock.js";
import { syncFolder, writeDurablySync } from "./durable-file.js";
import { databaseFiles } from "./inspect-database.js";
import { damagedPages, encodeSums, type PageSums } from "./page-sums.js";

/**
 * Replaces everything in a data folder by a backup.
 *
 * It can be killed at any moment. The backup is copied into the folder `restore.part`; renaming
 * that to `restore` commits it: before, the folder is unchanged, and after, the next start or
 * restore finishes the work. The old files move to `replaced`, which is removed once the backup is
 * in place.
 *
 * @returns the kept media that came with it; what is damaged of them is left out.
 * @throws AppError not_found, storage_corrupt (the backup), storage_full (before anything is
 *   written), storage_locked (the folder is in use), already_exists unless `replace`.
 */
export async function restoreBackup(
  file: string,
  dataDir: string,
  options: { replace?: boolean } = {},
): Promise<{ media: ArchiveContents }> {
  if (!existsSync(file))
    throw new AppError("not_found", `There is no backup file "${file}"`, { param: "file" });
  checkRoom(dataDir, statSync(file).size);
  const { sums, mediaStart, media } = checkBackup(file);
  const unlock = await lockDataFolder(dataDir);
  try {
    finishRestore(dataDir);
    const { database, sums: sumsFile } = databaseFiles(dataDir);
    if (existsSync(database) && options.replace !== true) {
      throw new AppError(
        "already_exists",
        `The data folder "${dataDir}" already holds collections`,
        { param: "data_dir" },
      );
    }
    const { part, ready } = restoreFolders(dataDir);
    rmSync(part, { recursive: true, force: true });
    try {
      mkdirSync(part);
      const copy = join(part, basename(database));
      copyPages(file, copy, sums);
      writeDurablySync(join(part, basename(sumsFile)), encodeSums(sums));
      mkdirSync(join(part, "media")); // also when it is empty: it takes the place of the old one
      const into = new ContentFiles(join(part, "media"));
      readArchive(file, mediaStart, { into, except: media.damaged });
    } catch (error) {
      rmSync(part, { recursive: true, force: true });
      throw error instanceof AppError ? error : storageError(error, part);
    }
    renameSync(part, ready);
    syncFolder(dataDir);
    finishRestore(dataDir);
    return { media };
  } finally {
    unlock();
  }
}

/**
 * Finishes a restore interrupted after its commit, or removes one interrupted before. The folder
 * must be locked.
 */
export function finishRestore(dataDir: string): void {
  const { part, ready, replaced } = restoreFolders(dataDir);
  rmSync(part, { recursive: true, force: true });
  const { database, sums, log } = databaseFiles(dataDir);
  const restored = (file: string) => join(ready, basename(file));
  // The database moves last. Until then, files without a successor in `restore` are of the old one.
  if (existsSync(restored(database))) {
    mkdirSync(replaced, { recursive: true });
    const media = join(dataDir, "media");
    const hasMoved = (file: string) => [sums, media].includes(file) && !existsSync(restored(file));
    for (const file of [log, `${database}-shm`, join(dataDir, "index"), media, sums, database]) {
      if (hasMoved(file) || !existsSync(file)) continue;
      rmSync(join(replaced, basename(file)), { recursive: true, force: true });
      renameSync(file, join(replaced, basename(file)));
    }
    syncFolder(dataDir);
    if (existsSync(restored(media))) renameSync(restored(media), media);
    if (existsSync(restored(sums))) renameSync(restored(sums), sums);
    renameSync(restored(database), database);
    syncFolder(dataDir);
  }
  rmSync(ready, { recursive: true, force: true });
  rmSync(replaced, { recursive: true, force: true });
}

function restoreFolders(dataDir: string) {
  return {
    part: join(dataDir, "restore.part"),
    ready: join(dataDir, "restore"),
    replaced: join(dataDir, "replaced"),
  };
}

/** Copies the database of a backup without what follows it. @throws AppError storage_corrupt. */
function copyPages(file: string, copy: string, sums: PageSums): void {
  const source = openSync(file, "r");
  const target = openSync(copy, "wx");
  try {
    const chunk = Buffer.alloc(2 ** 20);
    const size = sums.pageCount * sums.pageSize;
    for (let at = 0; at < size; ) {
      const count = readSync(source, chunk, 0, Math.min(chunk.length, size - at), at);
      if (count === 0) break;
      for (let done = 0; done < count; )
        done += writeSync(target, chunk, done, count - done, at + done);
      at += count;
    }
    fsyncSync(target);
  } finally {
    closeSync(source);
    closeSync(target);
  }
  if (damagedPages(copy, sums).length > 0)
    throw new AppError("storage_corrupt", `The backup "${file}" was changed while it was restored`);
}
