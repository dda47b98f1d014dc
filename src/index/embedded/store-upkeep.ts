import { AppError } from "../../errors.js";
import type { StoreCondition } from "../vector-store.js";
import type { CheckedDatabase } from "./checked-database.js";
import { freeBytes, Reserve, workingBytes } from "./reserve.js";
import { type Database, guard, type Row } from "./sqlite.js";
import type { WriteHooks } from "./write-queue.js";

/**
 * Time without a commit after which the log is emptied. That holds up searches for some 30 to 130
 * ms, in which five files are flushed, and a stream of pictures commits about once a second: after
 * a second without one it would be emptied between any two groups.
 */
const quietMs = 10_000;
/** While the reserve is gone, room for it is looked for this long after a commit at the latest. */
const reserveMs = 1000;
/** Pages freed at a time: some milliseconds, and at most 4 MB of log. */
const pagesPerStep = 256;

/**
 * Maintains a store's files between its writes: empties the log when it is long or idle, keeps disk
 * space in reserve, frees pages when the disk is full, and records problems.
 */
export class StoreUpkeep implements WriteHooks {
  readonly #database: CheckedDatabase;
  readonly #dataDir: string;
  readonly #reserve: Reserve;
  #timer: NodeJS.Timeout | undefined;
  /** Whether the reserve is there. */
  #hasReserve = false;
  #condition: StoreCondition = {};
  #closed = false;

  constructor(database: CheckedDatabase, dataDir: string) {
    this.#database = database;
    this.#dataDir = dataDir;
    this.#reserve = new Reserve(dataDir);
    this.#tidy();
    this.#noteRoom();
  }

  committed(): void {
    this.#database.committed();
    delete this.#condition.cannotWrite;
    if (this.#database.logIsLong) this.#checkpoint();
    if (this.#hasReserve) this.#tidySoon(quietMs);
    else if (this.#timer === undefined) this.#tidySoon(reserveMs);
  }

  failed(error: unknown): void {
    if (!(error instanceof AppError)) return;
    if (error.code === "storage_full" || error.code === "storage_failed")
      this.#condition.cannotWrite = error.message;
    if (error.code === "storage_corrupt") this.#condition.damaged = error.message;
  }

  makeRoom(freesRoom: boolean): boolean {
    const released = freesRoom && this.#reserve.release();
    const emptied = this.#checkpoint();
    if (released) {
      this.#hasReserve = false;
      this.#tidySoon(0);
    }
    return released || emptied;
  }

  condition(): StoreCondition {
    if (this.#condition.cannotWrite !== undefined) {
      this.#tidy();
      this.#noteRoom();
    }
    return { ...this.#condition };
  }

  /**
   * Makes the database as small as possible.
   * @throws AppError storage_full when the disk has no room for it.
   */
  async compact(): Promise<void> {
    const { db } = this.#database;
    const pages = pragma(db, "page_count");
    const bytes = pages * pragma(db, "page_size");
    // VACUUM writes the database once to a temporary file and once to the log.
    if (freeBytes(this.#dataDir) > 2 * bytes) {
      guard(() => db.exec("PRAGMA auto_vacuum = INCREMENTAL; VACUUM"));
      this.committed();
      this.#database.checkpoint();
      return;
    }
    this.makeRoom(true);
    while (this.#giveBack()) await new Promise((resolve) => setImmediate(resolve));
    this.#tidySoon(0);
    if (pragma(db, "auto_vacuum") === 2) return;
    const needed = `${Math.ceil((2 * bytes) / 2 ** 20)} MB`;
    throw new AppError("storage_full", `Compacting needs ${needed} on the disk of the data folder`);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  #tidySoon(ms: number) {
    if (this.#closed) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#tidy(), ms).unref();
  }

  #tidy() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#checkpoint();
    this.#hasReserve = this.#reserve.keep();
    if (this.#hasReserve) return;
    try {
      if (this.#giveBack()) this.#tidySoon(0);
    } catch (error) {
      this.failed(error);
    }
    this.#hasReserve = this.#reserve.keep();
  }

  /** @returns whether the log is empty. */
  #checkpoint(): boolean {
    try {
      this.#database.checkpoint();
      return true;
    } catch (error) {
      this.failed(error);
      return false;
    }
  }

  /** Frees some unused pages. @returns whether there are more. */
  #giveBack(): boolean {
    const { db } = this.#database;
    if (pragma(db, "auto_vacuum") !== 2 || pragma(db, "freelist_count") === 0) return false;
    guard(() => db.exec(`PRAGMA incremental_vacuum(${pagesPerStep})`));
    this.#database.committed();
    this.#database.checkpoint();
    return pragma(db, "freelist_count") > 0;
  }

  #noteRoom() {
    if (freeBytes(this.#dataDir) < workingBytes)
      this.#condition.cannotWrite = `No disk space left for the data folder "${this.#dataDir}"`;
    else delete this.#condition.cannotWrite;
  }
}

function pragma(db: Database, name: string): number {
  const row = guard(() => db.prepare(`PRAGMA ${name}`).get() as Row);
  return row[name] as number;
}
