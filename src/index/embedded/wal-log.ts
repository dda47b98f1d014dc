import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { crc32 } from "node:zlib";

/**
 * Reads SQLite's write-ahead log, to know which pages a checkpoint will change, their sums, and
 * how many frames are committed.
 * Format: https://www.sqlite.org/fileformat2.html#the_write_ahead_log
 */
export class WalLog {
  readonly #file: string;
  /** From the log's header: a changed one means that the log was restarted. */
  salt = "";
  /** Frames up to and including the last commit. */
  frames = 0;
  /** Pages of the database after the last commit. */
  pageCount = 0;
  /** The pages that the log holds. */
  readonly pages = new Set<number>();
  /** CRC-32 of the newest content of those that were committed since they were last taken. */
  #fresh = new Map<number, number>();
  #pageSize = 0;
  /** Of the header and all frames up to the last commit. */
  #checksum = new Checksum(false);

  constructor(file: string) {
    this.#file = file;
  }

  /** Bytes of the file; 0 when there is none. */
  get bytes(): number {
    return this.#read((handle) => fstatSync(handle).size) ?? 0;
  }

  /**
   * Reads what was committed since the last call, as SQLite does after a crash: up to the first
   * frame whose checksum is wrong. A process that is killed, or a disk that is full, between the
   * header of a commit's last frame and its page leaves what looks like a commit and is none.
   */
  advance(): void {
    this.#read((handle) => this.#walk(handle));
  }

  /** @returns page and CRC-32 of its content, for all that was committed since the last call. */
  takeSums(): [page: number, sum: number][] {
    const fresh = this.#fresh;
    this.#fresh = new Map();
    return [...fresh];
  }

  #walk(handle: number) {
    const header = Buffer.alloc(headerBytes);
    if (readSync(handle, header, 0, headerBytes, 0) < headerBytes) return this.#begin("");
    const salt = header.toString("hex", 16, 24);
    if (salt !== this.salt) this.#begin(salt);
    if (this.frames === 0) {
      this.#pageSize = header.readUInt32BE(8);
      this.#checksum = new Checksum(header.readUInt32BE(0) === bigEndianMagic);
      this.#checksum.add(header, 0, 24);
      if (!this.#checksum.equals(header, 24)) return this.#begin("");
    }
    const checksum = this.#checksum.copy();
    const frame = Buffer.alloc(frameHeaderBytes + this.#pageSize);
    const sums: [page: number, sum: number][] = [];
    for (let n = this.frames; ; n++) {
      if (readSync(handle, frame, 0, frame.length, this.#offset(n)) < frame.length) return;
      if (frame.toString("hex", 8, 16) !== salt) return;
      checksum.add(frame, 0, 8);
      checksum.add(frame, frameHeaderBytes, frame.length);
      if (!checksum.equals(frame, 16)) return;
      sums.push([frame.readUInt32BE(0), crc32(frame.subarray(frameHeaderBytes))]);
      const pageCount = frame.readUInt32BE(4);
      if (pageCount === 0) continue; // not committed, or rolled back
      for (const [page, sum] of sums) {
        this.pages.add(page);
        this.#fresh.set(page, sum);
      }
      sums.length = 0;
      this.frames = n + 1;
      this.pageCount = pageCount;
      this.#checksum = checksum.copy();
    }
  }

  #begin(salt: string) {
    this.salt = salt;
    this.frames = 0;
    this.pageCount = 0;
    this.pages.clear();
    this.#fresh.clear();
  }

  #offset(frame: number): number {
    return headerBytes + frame * (frameHeaderBytes + this.#pageSize);
  }

  #read<T>(work: (handle: number) => T): T | undefined {
    let handle: number;
    try {
      handle = openSync(this.#file, "r");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
      this.#begin("");
      return undefined;
    }
    try {
      return work(handle);
    } finally {
      closeSync(handle);
    }
  }
}

const headerBytes = 32;
const frameHeaderBytes = 24;
const bigEndianMagic = 0x377f0683;

/** https://www.sqlite.org/fileformat2.html#checksum_algorithm */
class Checksum {
  readonly #bigEndian: boolean;
  #a = 0;
  #b = 0;

  constructor(bigEndian: boolean) {
    this.#bigEndian = bigEndian;
  }

  copy(): Checksum {
    const copy = new Checksum(this.#bigEndian);
    copy.#a = this.#a;
    copy.#b = this.#b;
    return copy;
  }

  add(bytes: Buffer, start: number, end: number): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    let a = this.#a;
    let b = this.#b;
    for (let at = start; at < end; at += 8) {
      a = (a + view.getUint32(at, !this.#bigEndian) + b) >>> 0;
      b = (b + view.getUint32(at + 4, !this.#bigEndian) + a) >>> 0;
    }
    this.#a = a;
    this.#b = b;
  }

  equals(bytes: Buffer, at: number): boolean {
    return bytes.readUInt32BE(at) === this.#a && bytes.readUInt32BE(at + 4) === this.#b;
  }
}
