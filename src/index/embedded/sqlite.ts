import { pathToFileURL } from "node:url";
import {
  backup,
  DatabaseSync,
  type DatabaseSyncInstance,
  type StatementSyncInstance,
} from "@photostructure/sqlite";
import { AppError } from "../../errors.js";

// The only file that imports SQLite. The API is that of node:sqlite, which can replace it once Node
// 20 is no longer supported.

export type Database = DatabaseSyncInstance;
export type Statement = StatementSyncInstance;
export type Row = Record<string, unknown>;

/**
 * Opens (or creates) a database for durable writes: a write-ahead log, flushed to the disk at every
 * commit.
 * @throws AppError storage_failed, storage_corrupt.
 */
export function openDatabase(file: string, options: { maxPages?: number } = {}): Database {
  return guard(() => {
    const db = new DatabaseSync(file, { timeout: 5000 });
    // 16 KB pages: a row with a 512-dimensional vector (2 KB) stays on its page, and larger ones
    // need few overflow pages. Exclusive: the data folder is locked anyway, and it avoids a
    // shared-memory file, for which a full disk has no room. Only checked-database.ts makes
    // checkpoints. Pages can be freed one by one (compact on a full disk).
    db.exec("PRAGMA locking_mode = EXCLUSIVE");
    const { page_count: pages } = db.prepare("PRAGMA page_count").get() as Row;
    // In an existing database this would write, for which a full disk has no room.
    if (pages === 0) db.exec("PRAGMA page_size = 16384; PRAGMA auto_vacuum = INCREMENTAL");
    db.exec(`
      PRAGMA journal_mode = WAL;
      PRAGMA wal_autocheckpoint = 0;
      PRAGMA synchronous = FULL;
      PRAGMA cell_size_check = ON;
      PRAGMA cache_size = -65536`);
    if (options.maxPages !== undefined)
      db.exec(`PRAGMA max_page_count = ${Math.trunc(options.maxPages)}`);
    return db;
  }, file);
}

export function sqliteVersion(): string {
  const db = new DatabaseSync(":memory:");
  try {
    return String((db.prepare("SELECT sqlite_version() AS version").get() as Row).version);
  } finally {
    db.close();
  }
}

/**
 * A database that only serves as a lock: see data-folder-lock.ts. Does not wait for another holder.
 */
export function openLock(file: string): Database {
  return guard(() => new DatabaseSync(file, { timeout: 0 }), file);
}

/**
 * Takes the lock. A journal file would be created with the transaction, for which a full disk has
 * no room; nothing is ever written.
 */
export function takeLock(lock: Database): void {
  lock.exec("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE");
}

/**
 * A database that nobody writes to, such as a backup: no file is created beside it, so it may be on
 * a read-only disk.
 * @throws AppError storage_failed when there is no such file.
 */
export function openToRead(file: string): Database {
  const url = pathToFileURL(file);
  url.searchParams.set("immutable", "1"); // https://www.sqlite.org/uri.html#uriimmutable
  return guard(() => new DatabaseSync(url, { readOnly: true }), file);
}

/** SQLite's online backup: consistent while the database is written to. */
export async function backupDatabase(db: Database, file: string): Promise<void> {
  try {
    await backup(db, file, { rate: 2000 });
  } catch (error) {
    throw databaseError(error, file);
  }
}

/** Prepared statements of a database, each prepared once. */
export class Statements {
  readonly #db: Database;
  readonly #byText = new Map<string, Statement>();

  constructor(db: Database) {
    this.#db = db;
  }

  get(sql: string): Statement {
    let statement = this.#byText.get(sql);
    if (statement === undefined) {
      statement = this.#db.prepare(sql);
      this.#byText.set(sql, statement);
    }
    return statement;
  }
}

/** Runs `work` in a transaction. */
export function transaction<T>(db: Database, work: () => T): T {
  return guard(() => {
    db.exec("BEGIN IMMEDIATE");
    try {
      const result = work();
      db.exec("COMMIT");
      return result;
    } catch (error) {
      if (db.isTransaction) db.exec("ROLLBACK");
      throw error;
    }
  });
}

/** Runs `work`, turning SQLite's errors into AppErrors. */
export function guard<T>(work: () => T, file?: string): T {
  try {
    return work();
  } catch (error) {
    throw databaseError(error, file);
  }
}

export function isBusy(error: unknown): boolean {
  return (
    resultCode(error) === 5 || resultCode(error instanceof Error ? error.cause : undefined) === 5
  );
}

/** Whether SQLite does not recognise the file. */
export function isNoDatabase(error: unknown): boolean {
  return [11, 26].includes(resultCode(error) ?? 0);
}

function resultCode(error: unknown): number | undefined {
  const code = error instanceof Error && "errcode" in error ? error.errcode : undefined;
  // The low byte: the kind of a more detailed code
  return typeof code === "number" ? code & 0xff : undefined;
}

/** Result codes: https://www.sqlite.org/rescode.html */
export function databaseError(error: unknown, file?: string): unknown {
  const code = resultCode(error);
  if (code === undefined) return error;
  const cause = error;
  const where = file === undefined ? '"crossmodal.sqlite"' : `"${file}"`;
  const detail = (error as Error).message;
  switch (code) {
    case 13: // FULL
      return new AppError(
        "storage_full",
        `No space left for ${where}: nothing of this request was stored`,
        { cause },
      );
    case 11: // CORRUPT
    case 26: // NOTADB
      return new AppError(
        "storage_corrupt",
        `The database ${where} is damaged (${detail}): restore a backup`,
        {
          cause,
        },
      );
    case 8: // READONLY
    case 14: // CANTOPEN
      return new AppError(
        "storage_failed",
        `Cannot write to ${where} (${detail}): is it read-only?`,
        { cause },
      );
    case 5: // BUSY
      return new AppError("storage_locked", `Another process is using ${where}`, { cause });
    default: // IOERR and the rest; a write beyond a quota or a file size limit arrives here too
      return new AppError(
        "storage_failed",
        `Storage failed at ${where} (${detail}): nothing of this request was stored`,
        { cause },
      );
  }
}
