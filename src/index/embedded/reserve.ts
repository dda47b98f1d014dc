import { randomFillSync } from "node:crypto";
import { closeSync, fsyncSync, openSync, rmSync, statfsSync, writeSync } from "node:fs";
import { join } from "node:path";
import { sizeIfThere } from "./durable-file.js";

/** 16 MB: the log of about 1,000 changed pages of 16 KB. */
const reserveBytes = 2 ** 24;
/** Log space that small writes need. */
export const workingBytes = 2 ** 20;

/**
 * Reserved disk space that is released when the disk is full, so that deleting and compacting,
 * which must write before they free anything, still work. It is a file of random bytes, which no
 * file system can compress.
 */
export class Reserve {
  readonly #dataDir: string;
  readonly #file: string;
  #wasReleased = false;

  constructor(dataDir: string) {
    this.#dataDir = dataDir;
    this.#file = join(dataDir, "crossmodal.reserve");
  }

  /**
   * Creates it unless it exists, or would leave too little space. @returns whether it exists.
   */
  keep(): boolean {
    if (sizeIfThere(this.#file) === reserveBytes) return true;
    const needed = reserveBytes + (this.#wasReleased ? workingBytes : reserveBytes / 2);
    try {
      rmSync(this.#file, { force: true });
      if (freeBytes(this.#dataDir) < needed) return false;
      const handle = openSync(this.#file, "w");
      try {
        const chunk = randomFillSync(Buffer.alloc(2 ** 20));
        for (let done = 0; done < reserveBytes; ) done += writeSync(handle, chunk);
        fsyncSync(handle);
      } finally {
        closeSync(handle);
      }
      return true;
    } catch {
      this.release(); // the disk is full after all, or may not be written
      return false;
    }
  }

  /** @returns whether that freed any space. */
  release(): boolean {
    const bytes = sizeIfThere(this.#file) ?? 0;
    this.#wasReleased ||= bytes > 0;
    try {
      rmSync(this.#file, { force: true });
      return bytes > 0;
    } catch {
      return false;
    }
  }
}

/** Bytes left for this user on the disk of a folder. */
export function freeBytes(folder: string): number {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
}
