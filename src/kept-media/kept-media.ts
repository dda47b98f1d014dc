import { webcrypto } from "node:crypto";
import type { FileHandle } from "node:fs/promises";
import { AppError } from "../errors.js";
import { type ContentFile, ContentFiles } from "../files/content-files.js";
import type { MediaReference } from "../index/item.js";
import type { VectorStore } from "../index/vector-store.js";
import type { Log } from "../log.js";
import { mediaTypeOf } from "../media/media-type.js";

export interface KeptMediaOptions {
  folder: string;
  /** Whether servers of one database have the folder together. */
  isShared?: boolean;
  /** Bytes of all files together; 0 is as many as the disk holds. */
  maxBytes: number;
  store: Pick<VectorStore, "mediaInUse" | "takeReleasedMedia">;
  log: Log;
}

/** Files that are kept for items that are not stored yet. */
export interface Lease {
  /** @throws AppError `storage_full` at the limit or on a full disk, `storage_failed`. */
  keep(bytes: Uint8Array): Promise<MediaReference>;
  /** From now on a file stays only as long as an item refers to it. */
  release(): Promise<void>;
}

/** Files up to this size are compared with their hash before they are first read. */
const maxVerifiedBytes = 16 * 2 ** 20;
/** Hashes that the store is asked about together. */
const hashesPerQuestion = 500;

/**
 * The pictures and sounds of items, in the data folder: each once, however many items refer to it,
 * and no longer than one does. What a crash leaves behind is removed at the next start.
 */
export class KeptMedia {
  readonly #files: ContentFiles;
  readonly #options: KeptMediaOptions;
  /** How many leases need a file. */
  readonly #pins = new Map<string, number>();
  readonly #writing = new Map<string, Promise<void>>();
  /** The current removal: no file is pinned meanwhile. */
  #removing: Promise<void> | undefined;
  /** Readers of all files, during whose work none is removed, and what waits for them. */
  #holds = 0;
  #waiting = new Set<string>();
  #bytes = 0;
  #closed = false;
  #started: Promise<void> | undefined;

  constructor(options: KeptMediaOptions) {
    this.#options = options;
    this.#files = new ContentFiles(options.folder, options);
  }

  /** Counts the files and removes those that no item refers to: once the store is open. */
  start(): Promise<void> {
    this.#started ??= this.#sweep().catch((error) =>
      this.#options.log.error({ err: error }, "kept media could not be searched"),
    );
    return this.#started;
  }

  lease(): Lease {
    const pinned: string[] = [];
    let isOpen = true;
    return {
      keep: async (bytes) => {
        const reference = await this.#keep(bytes);
        pinned.push(reference.sha256);
        if (isOpen) return reference;
        await this.#unpin(pinned.splice(0));
        throw new AppError("cancelled", "The request was cancelled");
      },
      release: async () => {
        isOpen = false;
        await this.#unpin(pinned.splice(0));
      },
    };
  }

  /**
   * A kept file, to read: the caller closes the handle.
   * @throws AppError `storage_corrupt` when it is gone, cut or, found out for small ones, changed.
   */
  async open(reference: MediaReference): Promise<FileHandle> {
    const { sha256, bytes } = reference;
    if (bytes <= maxVerifiedBytes && !(await this.#files.has(reference)))
      throw this.#damaged(sha256);
    const handle = await this.#files.open(sha256);
    if (handle === undefined) throw this.#damaged(sha256);
    const { size } = await handle.stat();
    if (size === bytes) return handle;
    await handle.close();
    throw this.#damaged(sha256);
  }

  /** All of a kept file. @throws AppError as `open`. */
  async read(reference: MediaReference): Promise<Buffer> {
    const handle = await this.open(reference);
    try {
      return await handle.readFile();
    } finally {
      await handle.close();
    }
  }

  /** Removes what deleted or replaced items have left behind since the last call. */
  async removeReleased(): Promise<void> {
    try {
      await this.start();
      const { store } = this.#options;
      await this.#removeUnused([...this.#waiting, ...(await store.takeReleasedMedia())]);
    } catch (error) {
      this.#options.log.error({ err: error }, "kept media of deleted items could not be removed");
    }
  }

  /** Prevents the removal of any file until it is released. */
  pauseRemoval(): { files: ContentFiles; release(): Promise<void> } {
    this.#holds++;
    let isPaused = true;
    return {
      files: this.#files,
      release: async () => {
        if (!isPaused) return;
        isPaused = false;
        if (--this.#holds > 0) return;
        await this.#removeUnused([...this.#waiting]);
      },
    };
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#started;
  }

  async #keep(bytes: Uint8Array): Promise<MediaReference> {
    await this.start();
    const source = bytes as Uint8Array<ArrayBuffer>;
    const digest = await webcrypto.subtle.digest("SHA-256", source); // in a thread of its own
    const sha256 = Buffer.from(digest).toString("hex");
    while (this.#removing !== undefined) await this.#removing;
    this.#pins.set(sha256, (this.#pins.get(sha256) ?? 0) + 1);
    try {
      await this.#writeOnce(sha256, bytes);
    } catch (error) {
      await this.#unpin([sha256]);
      throw error;
    }
    return { sha256, bytes: bytes.length, mediaType: mediaTypeOf(bytes) };
  }

  /** If the same bytes arrive twice at once, they are written once. */
  #writeOnce(sha256: string, bytes: Uint8Array): Promise<void> {
    let writing = this.#writing.get(sha256);
    if (writing === undefined) {
      writing = this.#write(sha256, bytes).finally(() => this.#writing.delete(sha256));
      this.#writing.set(sha256, writing);
    }
    return writing;
  }

  async #write(sha256: string, bytes: Uint8Array): Promise<void> {
    if (await this.#files.renew({ sha256, bytes: bytes.length })) return;
    const { maxBytes } = this.#options;
    if (maxBytes > 0 && this.#bytes + bytes.length > maxBytes) {
      const message =
        `Keeping this file of ${bytes.length} bytes would exceed maxKeptMediaBytes ` +
        `(${this.#bytes} of ${maxBytes} bytes are used): ` +
        'raise it, delete items, or turn "keep_media" off';
      throw new AppError("storage_full", message, { param: "keep_media" });
    }
    this.#bytes += bytes.length;
    try {
      await this.#files.write(sha256, bytes);
    } catch (error) {
      this.#bytes -= bytes.length;
      throw error;
    }
  }

  async #unpin(hashes: readonly string[]): Promise<void> {
    const free = hashes.filter((hash) => {
      const pins = (this.#pins.get(hash) ?? 1) - 1;
      if (pins > 0) this.#pins.set(hash, pins);
      else this.#pins.delete(hash);
      return pins === 0;
    });
    await this.#removeUnused(free).catch((error) =>
      this.#options.log.error({ err: error }, "unused kept media could not be removed"),
    );
  }

  /** Removes those of the files that nothing needs. One call after the other. */
  async #removeUnused(candidates: readonly string[]): Promise<void> {
    if (candidates.length === 0) return;
    while (this.#removing !== undefined) await this.#removing;
    const removal = this.#remove(candidates).finally(() => {
      this.#removing = undefined;
    });
    this.#removing = removal.catch(() => undefined);
    await removal;
  }

  async #remove(candidates: readonly string[]): Promise<void> {
    for (const hash of candidates) this.#waiting.delete(hash);
    const free = candidates.filter((hash) => !this.#pins.has(hash));
    if (this.#holds > 0) {
      for (const hash of free) this.#waiting.add(hash);
      return;
    }
    for (let from = 0; from < free.length; from += hashesPerQuestion) {
      const some = free.slice(from, from + hashesPerQuestion);
      const used = new Set(await this.#options.store.mediaInUse(some));
      for (const hash of some.filter((one) => !used.has(one))) await this.#removeFile(hash);
    }
  }

  async #removeFile(sha256: string): Promise<void> {
    const handle = await this.#files.open(sha256);
    if (handle === undefined) return;
    const { size } = await handle.stat().finally(() => handle.close());
    if (await this.#files.remove(sha256)) this.#bytes -= size;
    else this.#waiting.add(sha256);
  }

  async #sweep(): Promise<void> {
    let some: ContentFile[] = [];
    const removeGroup = async () => {
      await this.#removeUnused(some.map(({ sha256 }) => sha256));
      some = [];
    };
    for await (const file of this.#files.list({ withLeftovers: true })) {
      this.#bytes += file.bytes;
      if (this.#closed) return;
      if (some.push(file) >= hashesPerQuestion) await removeGroup();
    }
    await removeGroup();
  }

  #damaged(sha256: string): AppError {
    const path = this.#files.pathOf(sha256);
    const problem = "is damaged or gone: add its item again, or restore a backup";
    return new AppError("storage_corrupt", `The kept file "${path}" ${problem}`);
  }
}
