import {
  appendFileSync,
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { dirname } from "node:path";
import { AppError } from "../../errors.js";
import { type ArchiveContents, readArchive } from "../../files/content-archive.js";
import { storageError } from "../../files/write-durably.js";
import type { CheckedDatabase } from "./checked-database.js";
import { sizeIfThere, syncFolder } from "./durable-file.js";
import { checkStructure, shapeOf } from "./inspect-database.js";
import {
  damagedPages,
  decodeSums,
  encodeSums,
  type PageSums,
  sumPages,
  sumsBytes,
} from "./page-sums.js";
import { checkSchemaVersion } from "./schema.js";
import { backupDatabase, type Database, guard, openToRead } from "./sqlite.js";

// A backup is a SQLite database, followed by the checksums of its pages and, where there are any,
// the kept media (files/content-archive.ts). SQLite does not read behind its last page.

/**
 * Writes a consistent copy of the database, which may be in use, to a new file.
 * @throws AppError already_exists; storage_corrupt when the database is damaged; storage_full,
 *   storage_failed.
 */
export async function writeBackup(database: CheckedDatabase, file: string): Promise<void> {
  if (sizeIfThere(file) !== undefined)
    throw new AppError("already_exists", `The file "${file}" already exists`, { param: "file" });
  const temporary = `${file}.part`;
  try {
    mkdirSync(dirname(file), { recursive: true });
    await database.verify();
    await backupDatabase(database.db, temporary);
    appendSums(temporary);
    renameSync(temporary, file);
    syncFolder(dirname(file));
  } catch (error) {
    rmSync(temporary, { force: true });
    if (error instanceof AppError) throw error;
    throw new AppError("storage_failed", `Cannot write the backup "${file}"`, { cause: error });
  }
}

/** @throws AppError storage_full, storage_failed. */
function appendSums(file: string): void {
  try {
    appendFileSync(file, encodeSums(sumsOf(file)));
    const handle = openSync(file, "r+");
    try {
      fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
  } catch (error) {
    throw storageError(error, file);
  }
}

export interface CheckedBackup {
  sums: PageSums;
  /** Where the kept media begin. */
  mediaStart: number;
  media: ArchiveContents;
}

/**
 * @returns also kept media that are damaged: they were so when the backup was made, or are since.
 * @throws AppError storage_corrupt unless the file is a complete database of a supported version.
 */
export function checkBackup(file: string): CheckedBackup {
  const damaged = (problem: string) =>
    new AppError("storage_corrupt", `The backup "${file}" is damaged: ${problem}`);
  // A pipe would be waited for, and a device never ends
  if (!statSync(file).isFile()) throw damaged("it is not a regular file");
  const size = sizeIfThere(file) ?? 0;
  const { pageSize, pageCount } = shapeOf(file);
  const end = pageSize * pageCount;
  if (!isPageSize(pageSize)) throw damaged("it is not a database");
  if (size < end) throw damaged(`it has ${size} bytes, expected ${end}`);
  let sums: PageSums | undefined;
  const mediaStart = size > end ? end + sumsBytes(pageCount) : end;
  if (size > end) {
    sums = decodeSums(tail(file, end, Math.min(size, mediaStart) - end))?.sums;
    if (sums === undefined) throw damaged("its checksums are damaged");
    const pages = damagedPages(file, sums);
    if (pages.length > 0)
      throw damaged(`${pages.length} of ${pageCount} pages differ from their checksums`);
  }
  const db = openToRead(file);
  try {
    if (sums === undefined) checkStructure(db, file); // made by an older version
    checkSchemaVersion(db);
    checkOnlyTables(db, damaged);
  } finally {
    db.close();
  }
  return { sums: sums ?? sumsOf(file), mediaStart, media: readArchive(file, mediaStart) };
}

/** What somebody else put into a database to run at each write. */
function checkOnlyTables(db: Database, damaged: (problem: string) => AppError): void {
  const others = "SELECT name, type FROM sqlite_schema WHERE type NOT IN ('table', 'index')";
  const found = guard(() => db.prepare(others).get());
  if (found !== undefined) throw damaged(`it holds the ${found.type} "${found.name}"`);
}

function sumsOf(file: string): PageSums {
  const { pageSize, pageCount } = shapeOf(file);
  const sums = sumPages(file, pageSize, pageCount);
  return { pageSize, pageCount, sums, salt: "", frames: 0 };
}

function isPageSize(bytes: number): boolean {
  return bytes >= 512 && (bytes & (bytes - 1)) === 0;
}

function tail(file: string, start: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  const handle = openSync(file, "r");
  try {
    readSync(handle, bytes, 0, length, start);
  } finally {
    closeSync(handle);
  }
  return bytes;
}
