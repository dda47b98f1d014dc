import { closeSync, fsyncSync, openSync, rmSync, truncateSync, writeSync } from "node:fs";
import { writeDurablySync } from "./durable-file.js";
import {
  checkLog,
  checkStructure,
  damagedDatabase,
  databaseFiles,
  inspectDatabase,
  shapeOf,
} from "./inspect-database.js";
import {
  applyCommit,
  damagedPages,
  encodeEntry,
  encodeSums,
  type PageSums,
  sumPages,
} from "./page-sums.js";
import { freeBytes } from "./reserve.js";
import { prepareSchema } from "./schema.js";
import { type Database, guard, openDatabase } from "./sqlite.js";
import { WalLog } from "./wal-log.js";

/**
 * Pages in the log (16 KB each) from which it is written into the database without waiting for a
 * quiet moment.
 */
const maxLogFrames = 1000;
const minLogFrames = 32;
/** 1 MB: a millisecond. */
const pagesPerSlice = 64;

export interface CheckedDatabaseOptions {
  maxPages?: number;
  /** Whether a store was opened in the folder before; by default, whether its lock is there. */
  wasUsed?: boolean;
  /** Called with notes for the operator. */
  note?: (message: string) => void;
}

/**
 * A database whose damage is noticed. SQLite itself checks neither the contents of its pages nor
 * that its log is complete: commits lost by a damaged log are silently missing. So after every
 * commit, before it is acknowledged, the checksums of the changed pages and the length of the log
 * are noted in `crossmodal.sums`, and compared when the database is opened.
 *
 * The notes are synced only around a checkpoint. After a power cut they may be older than the log;
 * but the missing part is in the log, whose frames carry SQLite's checksums.
 */
export class CheckedDatabase {
  readonly db: Database;
  readonly #dataDir: string;
  readonly #log: WalLog;
  #sums: PageSums;
  /** Where entries are appended; undefined while its disk is full. */
  #notes: number | undefined;

  /** @throws AppError storage_corrupt naming the file and what to do; storage_failed. */
  static open(dataDir: string, options: CheckedDatabaseOptions = {}): CheckedDatabase {
    const { database, sums: file } = databaseFiles(dataDir);
    const found = inspectDatabase(dataDir, options.wasUsed);
    const db = openDatabase(database, options);
    try {
      const isNew = prepareSchema(db);
      if (found === undefined && !isNew) {
        checkStructure(db, database);
        options.note?.(`There is no "${file}": only the structure of the database was checked`);
      }
      return new CheckedDatabase(db, dataDir, found);
    } catch (error) {
      db.close();
      throw error;
    }
  }

  private constructor(
    db: Database,
    dataDir: string,
    found: { sums: PageSums; end: number } | undefined,
  ) {
    this.db = db;
    this.#dataDir = dataDir;
    const { log, sums: file } = databaseFiles(dataDir);
    this.#log = new WalLog(log);
    this.#sums = found?.sums ?? this.#firstSums();
    if (found !== undefined) {
      truncateSync(file, found.end); // an entry that a power cut left unfinished
      this.#notes = openSync(file, "a");
    }
    this.committed();
    this.#saveSums();
  }

  /** To be called after every commit and before it is acknowledged. Never throws. */
  committed(): void {
    const entry = this.#follow();
    if (entry === undefined || this.#notes === undefined) return;
    try {
      const bytes = encodeEntry(entry);
      if (writeSync(this.#notes, bytes) < bytes.length) throw new Error("No room");
    } catch {
      this.#dropSums();
    }
  }

  /** Whether the log is due at once; earlier when the disk is nearly full. */
  get logIsLong(): boolean {
    const { frames, bytes } = this.#log;
    if (frames < minLogFrames) return false;
    return frames >= maxLogFrames || bytes > freeBytes(this.#dataDir) / 4;
  }

  /**
   * Writes the log into the database and empties it.
   * @throws AppError storage_full, storage_failed; then nothing is lost and the log continues.
   */
  checkpoint(): void {
    if (this.#log.bytes === 0) return;
    this.committed();
    this.#syncNotes(); // from here on the log may be gone
    guard(() => this.db.exec("PRAGMA wal_checkpoint(TRUNCATE)"), this.db.location() ?? undefined);
    this.#log.advance();
    if (this.#log.bytes === 0) {
      const { sums, pageCount } = this.#sums;
      Object.assign(this.#sums, { sums: sums.slice(0, pageCount), salt: "", frames: 0 });
    }
    this.#saveSums();
  }

  /**
   * Compares everything on disk with its sums, between other work. @throws AppError
   * storage_corrupt.
   */
  async verify(): Promise<void> {
    const { database, log: logFile } = databaseFiles(this.#dataDir);
    this.committed();
    const log = new WalLog(logFile);
    log.advance();
    checkLog(this.#dataDir, this.#sums, log);
    for (let first = 1; first <= this.#sums.pageCount; first += pagesPerSlice) {
      this.committed(); // the log may have been emptied meanwhile
      const last = first + pagesPerSlice - 1;
      const damaged = damagedPages(database, this.#sums, this.#log.pages, first, last);
      if (damaged.length > 0) throw damagedDatabase(this.#dataDir, damaged, this.#sums);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  close(): void {
    try {
      this.checkpoint();
    } catch {} // the log stays, and the next start continues with it
    if (this.#notes !== undefined) closeSync(this.#notes);
    this.db.close();
  }

  /** Brings the sums in memory up to the last commit. @returns what changed. */
  #follow() {
    this.#log.advance();
    const { salt, frames, pageCount } = this.#log;
    if (frames === 0 || (salt === this.#sums.salt && frames === this.#sums.frames))
      return undefined;
    const entry = { pages: this.#log.takeSums(), pageCount, salt, frames };
    applyCommit(this.#sums, entry);
    return entry;
  }

  #syncNotes() {
    if (this.#notes === undefined) return;
    try {
      fsyncSync(this.#notes);
    } catch {
      this.#dropSums();
    }
  }

  /** Rewrites all sums, so that the notes do not grow forever. */
  #saveSums() {
    const { sums: file } = databaseFiles(this.#dataDir);
    try {
      writeDurablySync(file, encodeSums(this.#sums));
    } catch {
      if (this.#notes === undefined) this.#dropSums(); // else entries continue in the old file
      return;
    }
    if (this.#notes !== undefined) closeSync(this.#notes);
    this.#notes = openSync(file, "a");
  }

  /**
   * Outdated sums would be wrong when SQLite checkpoints as a thread ends. The next checkpoint
   * tries again.
   */
  #dropSums() {
    if (this.#notes !== undefined) closeSync(this.#notes);
    this.#notes = undefined;
    rmSync(databaseFiles(this.#dataDir).sums, { force: true });
  }

  /** For a database without sums: a new one, or one of an older version. */
  #firstSums(): PageSums {
    const { database } = databaseFiles(this.#dataDir);
    guard(() => this.db.exec("PRAGMA wal_checkpoint(TRUNCATE)"), database);
    const { pageSize, pageCount } = shapeOf(database);
    const sums = sumPages(database, pageSize, pageCount);
    return { pageSize, pageCount, sums, salt: "", frames: 0 };
  }
}
