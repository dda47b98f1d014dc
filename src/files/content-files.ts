import { constants } from "node:fs";
import { type FileHandle, lstat, open, readdir, rm, stat, utimes } from "node:fs/promises";
import { join } from "node:path";
import { hashFile } from "./hash-file.js";
import { writeDurably } from "./write-durably.js";

/** A file that is named after its contents. */
export interface ContentFile {
  /** Of its bytes, in hexadecimal. */
  sha256: string;
  bytes: number;
}

/** Longer than a request takes from its first file to its items. */
const minSharedAgeMs = 3_600_000;

/**
 * A folder of files named after the sha256 of their bytes, in folders by its first two digits. A
 * file exists complete or not at all.
 */
export class ContentFiles {
  readonly folder: string;
  readonly #minAgeMs: number;
  /** Files whose contents were found correct, as of then. */
  readonly #verified = new Map<string, string>();

  /**
   * @param isShared  whether several processes have the folder: one may need a file that another
   *   one knows nothing of yet, so that none is removed while it is young.
   */
  constructor(folder: string, { isShared = false } = {}) {
    this.folder = folder;
    this.#minAgeMs = isShared ? minSharedAgeMs : 0;
  }

  pathOf(sha256: string): string {
    return join(this.folder, sha256.slice(0, 2), sha256);
  }

  /** Whether the file is there with the right contents; it is read once to find out. */
  async has({ sha256, bytes }: ContentFile): Promise<boolean> {
    const path = this.pathOf(sha256);
    const found = await lstat(path).catch(ifMissing);
    if (!found?.isFile() || found.size !== bytes) return false;
    const state = `${found.ino} ${found.mtimeMs}`;
    if (this.#verified.get(sha256) === state) return true;
    if ((await hashFile(path)) !== sha256) return false;
    this.#remember(sha256, state);
    return true;
  }

  /** As `has`; a file that is there is young again. */
  async renew(file: ContentFile): Promise<boolean> {
    if (!(await this.has(file))) return false;
    if (this.#minAgeMs === 0) return true;
    const now = new Date();
    const renewed = utimes(this.pathOf(file.sha256), now, now).then(() => true);
    return (await renewed.catch(ifMissing)) ?? false;
  }

  /** @throws AppError `storage_full`, `storage_failed`. */
  async write(sha256: string, bytes: Uint8Array): Promise<void> {
    await writeDurably(this.pathOf(sha256), bytes);
  }

  /**
   * To read it: the caller closes the handle. Undefined when it is not there, or something else is:
   * a folder that came from elsewhere may hold links and named pipes.
   */
  async open(sha256: string): Promise<FileHandle | undefined> {
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
    const file = await open(this.pathOf(sha256), flags).catch(ifMissing);
    if (file === undefined || (await file.stat()).isFile()) return file;
    await file.close();
    return undefined;
  }

  /** @returns false when it is too young. */
  async remove(sha256: string): Promise<boolean> {
    const path = this.pathOf(sha256);
    if (this.#minAgeMs > 0) {
      const found = await stat(path).catch(ifMissing);
      if (found !== undefined && Date.now() - found.mtimeMs < this.#minAgeMs) return false;
    }
    this.#verified.delete(sha256);
    await rm(path, { force: true });
    return true;
  }

  /**
   * All of them, in the order of their folders.
   * @param withLeftovers  also removes what a process that was killed left half-written.
   */
  async *list({ withLeftovers = false } = {}): AsyncGenerator<ContentFile> {
    for (const folder of (await readdir(this.folder).catch(ifMissing)) ?? []) {
      if (!/^[0-9a-f]{2}$/.test(folder)) continue;
      for (const name of (await readdir(join(this.folder, folder)).catch(ifMissing)) ?? []) {
        const path = join(this.folder, folder, name);
        if (/^[0-9a-f]{64}$/.test(name) && name.startsWith(folder)) {
          const found = await lstat(path).catch(ifMissing);
          if (found?.isFile()) yield { sha256: name, bytes: found.size };
        } else if (withLeftovers && name.endsWith(".part")) await rm(path, { force: true });
      }
    }
  }

  #remember(sha256: string, state: string) {
    if (this.#verified.size >= 10_000) this.#verified.clear();
    this.#verified.set(sha256, state);
  }
}

function ifMissing(error: NodeJS.ErrnoException): undefined {
  // ELOOP: a link, which is not followed
  if (["ENOENT", "ENOTDIR", "ELOOP"].includes(error.code ?? "")) return undefined;
  throw error;
}
