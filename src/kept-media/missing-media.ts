import { stat } from "node:fs/promises";
import { type ContentFile, ContentFiles } from "../files/content-files.js";
import type { Log } from "../log.js";

/** How long until the files are looked for again. */
const againMs = { whileMissing: 60_000, otherwise: 600_000 };

export interface MissingMediaOptions {
  folder: string;
  /** Some of the files that items refer to: not all are looked for. */
  some: () => Promise<readonly ContentFile[]>;
  log: Log;
}

/**
 * Whether files that items refer to are missing from the folder: servers of one database need one
 * folder of media.
 */
export class MissingMedia {
  readonly #options: MissingMediaOptions;
  #found = { missing: 0, lookedFor: 0 };
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(options: MissingMediaOptions) {
    this.#options = options;
  }

  /** How many of those that were looked for. */
  get count(): number {
    return this.#found.missing;
  }

  /** For whoever runs the server; undefined when nothing is missing. */
  get reason(): string | undefined {
    const { missing, lookedFor } = this.#found;
    if (missing === 0) return undefined;
    return (
      `${missing} of ${lookedFor} kept files that were looked for are not in the folder of ` +
      "media: servers of one database need one folder, shared by a network file system"
    );
  }

  /** Looks for them now and from time to time: a network file system may come and go. */
  follow(): void {
    if (this.#isClosed) return;
    const { log } = this.#options;
    this.look()
      .catch((error) => log.warn({ err: error }, "kept media could not be looked for"))
      .finally(() => {
        if (this.#isClosed) return;
        const delay = this.count > 0 ? againMs.whileMissing : againMs.otherwise;
        this.#timer = setTimeout(() => this.follow(), delay).unref();
      });
  }

  async look(): Promise<void> {
    const { folder, log } = this.#options;
    const some = await this.#options.some();
    const files = new ContentFiles(folder);
    const before = this.count;
    let missing = 0;
    for (const { sha256, bytes } of some) {
      const found = await stat(files.pathOf(sha256)).catch(() => undefined);
      if (found?.size !== bytes) missing++;
    }
    this.#found = { missing, lookedFor: some.length };
    if (missing > 0 && missing !== before)
      log.error({ missing, looked_for: some.length, folder }, this.reason);
    if (missing === 0 && before > 0) log.info({ folder }, "no kept files are missing any more");
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }
}
