import { createHash } from "node:crypto";

/** How many decoders a file may end before it is refused. */
const maxKills = 2;
const rememberedMs = 10 * 60_000;
const maxFiles = 1000;

/**
 * Files that ended the process that decoded them, by a hash of their content. Only files of the
 * same length as one of them are hashed.
 */
export class PoisonedFiles {
  readonly #files = new Map<string, { byteLength: number; kills: number; until: number }>();
  readonly #now: () => number;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Counts a process that this file has ended. */
  add(bytes: Uint8Array): void {
    const hash = hashOf(bytes);
    const kills = (this.#files.get(hash)?.kills ?? 0) + 1;
    this.#files.delete(hash); // and in again as the newest
    this.#files.set(hash, {
      byteLength: bytes.byteLength,
      kills,
      until: this.#now() + rememberedMs,
    });
    for (const [oldest, { until }] of this.#files) {
      if (this.#files.size <= maxFiles && until > this.#now()) break;
      this.#files.delete(oldest);
    }
  }

  /** Whether a file has recently ended too many processes to be tried again. */
  has(bytes: Uint8Array): boolean {
    const now = this.#now();
    const suspects = [...this.#files].filter(
      ([, file]) =>
        file.kills >= maxKills && file.until > now && file.byteLength === bytes.byteLength,
    );
    if (suspects.length === 0) return false;
    const hash = hashOf(bytes);
    return suspects.some(([suspect]) => suspect === hash);
  }
}

const hashOf = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
