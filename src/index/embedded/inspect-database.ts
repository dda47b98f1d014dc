import { closeSync, existsSync, openSync, readdirSync, readSync } from "node:fs";
import { join } from "node:path";
import { AppError } from "../../errors.js";
import { readIfThere, sizeIfThere } from "./durable-file.js";
import { damagedPages, decodeSums, type PageSums } from "./page-sums.js";
import { type Database, guard } from "./sqlite.js";
import { WalLog } from "./wal-log.js";

/** The files that make up the database of a data folder. */
export function databaseFiles(dataDir: string) {
  const database = join(dataDir, "crossmodal.sqlite");
  return { database, log: `${database}-wal`, sums: join(dataDir, "crossmodal.sums") };
}

/**
 * Checks the files of a database before SQLite opens them, and changes nothing.
 *
 * @param wasUsed  whether a store was opened in the folder before: heads, bridges and jobs may
 *   exist before the first collection.
 * @returns its checksums and their size in the file; undefined without any: a new database, or one
 *   of an older version.
 * @throws AppError storage_corrupt naming the file and what to do.
 */
export function inspectDatabase(
  dataDir: string,
  wasUsed = wasOpened(dataDir),
): { sums: PageSums; end: number } | undefined {
  const files = databaseFiles(dataDir);
  const found = readSums(files.sums);
  const size = sizeIfThere(files.database);
  if (size === undefined || size === 0) {
    const rest = traces(dataDir, wasUsed);
    if (rest === undefined) return undefined;
    throw corrupt(
      `The database "${files.database}" is ${size === 0 ? "empty" : "gone"}, although "${rest}" ` +
        "shows that there was one: " +
        "restore a backup with `crossmodal restore FILE --force`, or move the data folder away " +
        "to start with an empty one",
    );
  }
  if (found === undefined) return undefined;
  const log = new WalLog(files.log);
  log.advance();
  checkDatabase(dataDir, found.sums, log);
  return found;
}

/**
 * @throws AppError storage_corrupt unless the log is empty or at least as long as at the last
 *   commit.
 */
export function checkLog(dataDir: string, sums: PageSums, log: WalLog): void {
  if (log.frames > 0 && log.salt === sums.salt && log.frames < sums.frames)
    throw damagedLog(dataDir, sums, log);
}

function checkDatabase(dataDir: string, sums: PageSums, log: WalLog) {
  checkLog(dataDir, sums, log);
  const { database } = databaseFiles(dataDir);
  const damaged = damagedPages(database, sums, log.pages);
  if (damaged.length > 0) {
    // A log may be missing because it was written into the database: then the pages are right.
    const lacksLog = log.frames === 0 && sums.frames > 0;
    throw lacksLog ? damagedLog(dataDir, sums, log) : damagedDatabase(dataDir, damaged, sums);
  }
  const expected = sums.pageCount * sums.pageSize;
  const size = sizeIfThere(database);
  if (log.frames === 0 && size !== expected)
    throw corrupt(
      `The database "${database}" has ${size} bytes instead of ${expected}: restore a backup`,
    );
}

function damagedLog(dataDir: string, sums: PageSums, log: WalLog): AppError {
  const { log: file, sums: sumsFile } = databaseFiles(dataDir);
  const size = sizeIfThere(file);
  const problem =
    size === undefined || size === 0
      ? `is ${size === 0 ? "empty" : "gone"}, or the database was damaged beside it`
      : `is damaged or cut: ${log.frames} of its ${sums.frames} pages are whole`;
  return corrupt(
    `The database's log "${file}" ${problem}; the last writes are lost. Restore a backup, or ` +
      `delete "${sumsFile}" ` +
      "to go on without them",
  );
}

export function damagedDatabase(dataDir: string, pages: number[], sums: PageSums): AppError {
  const { database, sums: file } = databaseFiles(dataDir);
  const named = pages.slice(0, 5).join(", ") + (pages.length > 5 ? ", …" : "");
  return corrupt(
    `The database "${database}" is damaged, or another program has changed it: of ` +
      `${sums.pageCount} pages, ` +
      `${pages.length} differ from their checksums (${named}). Restore a backup. Without one, ` +
      `delete "${file}" to have ` +
      "the database opened as it is, and export what can be read",
  );
}

function readSums(file: string): { sums: PageSums; end: number } | undefined {
  const bytes = readIfThere(file);
  if (bytes === undefined) return undefined;
  const found = decodeSums(bytes);
  if (found === undefined)
    throw corrupt(
      `The checksums of the database, "${file}", are damaged. Restore a backup, or delete the ` +
        "file to have " +
        "the database checked without them",
    );
  return found;
}

/** Whether a store was opened in the folder: to be called before the folder is locked. */
export const wasOpened = (dataDir: string) => existsSync(join(dataDir, "crossmodal.lock"));

/** Evidence that the folder held a database. */
function traces(dataDir: string, wasUsed: boolean): string | undefined {
  const { log, sums } = databaseFiles(dataDir);
  if (existsSync(sums)) return sums;
  if ((sizeIfThere(log) ?? 0) > 0) return log;
  const holdsFiles = (folder: string) => existsSync(folder) && readdirSync(folder).length > 0;
  const folders = ["index", ...(wasUsed ? ["heads", "bridges", "calibrations", "jobs"] : [])];
  return folders.map((name) => join(dataDir, name)).find(holdsFiles);
}

/** The checks that need no sums. @throws AppError storage_corrupt. */
export function checkStructure(db: Database, file: string): void {
  const found = guard(
    () => db.prepare("PRAGMA integrity_check(1)").get() as { integrity_check: string },
    file,
  );
  if (found.integrity_check !== "ok")
    throw corrupt(`The database "${file}" is damaged (${found.integrity_check}): restore a backup`);
}

/** From the header: https://www.sqlite.org/fileformat2.html#the_database_header */
export function shapeOf(file: string): { pageSize: number; pageCount: number } {
  const header = Buffer.alloc(100);
  const handle = openSync(file, "r");
  try {
    readSync(handle, header, 0, 100, 0);
  } finally {
    closeSync(handle);
  }
  const stored = header.readUInt16BE(16);
  return { pageSize: stored === 1 ? 65536 : stored, pageCount: header.readUInt32BE(28) };
}

function corrupt(message: string): AppError {
  return new AppError("storage_corrupt", message);
}
