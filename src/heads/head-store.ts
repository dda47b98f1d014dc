import { AppError } from "../errors.js";
import { type FolderChanges, orRefreshed, type StateFolder } from "../files/state-folder.js";
import type { Log } from "../log.js";
import type { FollowedHead } from "./collection-head.js";
import { type Followers, refuseInUse } from "./following-collections.js";
import {
  type HeadFiles,
  type HeadWeights,
  readExport,
  spaceOfHead,
  writeExport,
  writeHeadFiles,
} from "./head-files.js";
import { readFiles } from "./head-folder.js";
import { HeadRecords, type ListedHead } from "./head-records.js";
import { type HeadVersion, type UsableHead, verdictOfHead } from "./head-version.js";
import { LoadedHeads } from "./loaded-heads.js";
import { NameQueue } from "./name-queue.js";
import { activeIn, checkName, noVersion, withoutVersion } from "./version-folder.js";

export interface HeadStoreOptions extends Partial<Followers> {
  files: StateFolder;
  log: Log;
}

/** A version to keep; the rest of its description follows from its weights and the store. */
export type NewHeadVersion = Omit<HeadVersion, "formatVersion" | "space" | "createdAt">;

/** Heads, each with its versions, of which at most one is active. */
export class HeadStore {
  readonly #options: HeadStoreOptions;
  readonly #records: HeadRecords;
  readonly #queue = new NameQueue();
  readonly #loaded: LoadedHeads;

  private constructor(options: HeadStoreOptions, records: HeadRecords) {
    this.#options = options;
    this.#records = records;
    this.#loaded = new LoadedHeads(records);
  }

  /** Reads the descriptions; weights are read on first use. */
  static async open(options: HeadStoreOptions): Promise<HeadStore> {
    const { files, log } = options;
    const store = new HeadStore(options, await HeadRecords.open(files.path, log));
    files.onChange = async (paths) => {
      store.#loaded.forget(paths);
      await store.#records.reload(paths);
    };
    return store;
  }

  /** Problems with the files of heads, in sentences. */
  damage(): string[] {
    return this.#records.damage();
  }

  list(): ListedHead[] {
    return this.#records.list();
  }

  /** @throws AppError `not_found` */
  get(name: string): ListedHead {
    return this.#records.listed(name);
  }

  /**
   * The weights of a version, by default of the active one. A request keeps the weights it started
   * with, whatever is activated meanwhile.
   * @throws AppError `not_found`; `conflict` when no version is active; `model_corrupt` or
   *   `storage_corrupt` when its files are damaged.
   */
  async use(name: string, version?: number): Promise<UsableHead> {
    return orRefreshed(this.#options.files, () => this.#loaded.use(name, version));
  }

  /**
   * Keeps a new version; it is used once it is activated. A job resumed after this step finds its
   * version.
   * @returns its number.
   */
  add(name: string, described: NewHeadVersion, weights: HeadWeights): Promise<number> {
    checkName(name);
    const files = writeHeadFiles(weights);
    return this.#change(name, (changes) => this.#add(changes, name, { described, files }));
  }

  async #add(
    changes: FolderChanges,
    name: string,
    { described, files }: { described: NewHeadVersion; files: HeadFiles },
  ): Promise<number> {
    const { kind, fromSpace, lineage } = described;
    const head = this.#records.find(name);
    for (const [version, other] of head?.versions ?? [])
      if (lineage.job !== undefined && "lineage" in other && other.lineage.job === lineage.job)
        return version;
    const parent = head && activeIn(head.history);
    const version: HeadVersion = {
      ...described,
      formatVersion: 1,
      space: kind === "projection" ? spaceOfHead(fromSpace, files) : fromSpace,
      createdAt: new Date().toISOString(),
      lineage: { ...lineage, ...(parent !== undefined && { parent }) },
    };
    return this.#records.add(changes, name, { files, described: version });
  }

  /**
   * Activates a version from the next request on.
   * @returns ids of the jobs that re-project collections which follow the head.
   * @throws AppError `conflict` for a version that training found to be no improvement, unless
   *   `force`.
   */
  async activate(name: string, version: number, { force = false } = {}): Promise<string[]> {
    await this.#change(name, (changes) => this.#activate(changes, name, { version, force }));
    return this.catchUp(name); // also starts an interrupted re-projection again
  }

  async #activate(
    changes: FolderChanges,
    name: string,
    { version, force }: { version: number; force: boolean },
  ): Promise<void> {
    await this.#loaded.use(name, version); // damaged files must fail here, not in the next request
    const verdict = verdictOfHead(this.#records.readable(name, version));
    if (verdict?.improved === false && !force) {
      const message =
        `Version ${version} of the head "${name}" was not activated: ${verdict.reason} ` +
        'Activate it with "force"';
      throw new AppError("conflict", message, { param: "version" });
    }
    const { history, damage } = this.#records.get(name);
    if (history.at(-1) !== version)
      await this.#records.setHistory(changes, name, [...history, version]);
    else if (damage !== undefined) await this.#records.setHistory(changes, name, history);
  }

  /**
   * Starts to re-project the collections that follow the head but not its active version.
   * @returns ids of jobs.
   */
  async catchUp(name: string): Promise<string[]> {
    const { activeVersion } = this.#records.listed(name);
    if (activeVersion === undefined) return [];
    return (await this.#options.onActivated?.(name, activeVersion)) ?? [];
  }

  /**
   * From the next request on no version is used; collections that follow the head stay unchanged.
   */
  async deactivate(name: string): Promise<void> {
    await this.#change(name, async (changes) => {
      const history = this.#records.history(name);
      if (activeIn(history) !== undefined)
        await this.#records.setHistory(changes, name, [...history, noVersion]);
    });
  }

  /** Returns to the previously active version. @returns ids of jobs, as `activate`. */
  async rollback(name: string): Promise<string[]> {
    await this.#change(name, async (changes) => {
      const history = this.#records.history(name);
      const before = history.at(-2);
      if (before === undefined) {
        const message = `The head "${name}" has no previously active version`;
        throw new AppError("conflict", message, { param: "name" });
      }
      if (before !== noVersion) await this.#loaded.use(name, before);
      await this.#records.setHistory(changes, name, history.slice(0, -1));
    });
    return this.catchUp(name);
  }

  /** @throws AppError `conflict` while a collection uses it, or it is active, unless `force`. */
  async remove(name: string, { force = false } = {}): Promise<void> {
    await this.#change(name, async (changes) => {
      const active = activeIn(this.#records.get(name).history);
      await refuseInUse(this.#options, name);
      if (active !== undefined && !force) {
        const message = `The head "${name}" is active with version ${active}; "force" deletes it`;
        throw new AppError("conflict", message, { param: "name" });
      }
      await this.#records.remove(changes, name);
    });
  }

  /** @throws AppError `conflict` for the active version, or a used one; `not_found`. */
  async removeVersion(name: string, version: number): Promise<void> {
    await this.#change(name, async (changes) => {
      this.#records.described(name, version);
      await refuseInUse(this.#options, name, version);
      const { history, damage } = this.#records.get(name);
      if (history.at(-1) === version) {
        const message = `Version ${version} of the head "${name}" is active`;
        throw new AppError("conflict", message, { param: "version" });
      }
      if (damage === undefined && history.includes(version)) {
        await this.#records.setHistory(changes, name, withoutVersion(history, version));
      }
      await this.#records.removeVersion(changes, name, version);
    });
  }

  /**
   * Runs `work`, which creates a collection that follows the version: no server removes it
   * meanwhile. @throws AppError `not_found`
   */
  async whileKept<T>(followed: FollowedHead | undefined, work: () => Promise<T>): Promise<T> {
    if (followed === undefined) return work();
    return this.#change(followed.name, () => {
      this.#records.described(followed.name, followed.version);
      return work();
    });
  }

  /** A version as one file, for another server. */
  async export(name: string, version: number): Promise<Uint8Array> {
    const described = this.#records.readable(name, version);
    const { folder } = this.#records.place(name, version);
    return writeExport(name, described, await readFiles(folder));
  }

  /**
   * Keeps an exported version as the next one of its name, or of `as`. It is not activated.
   * @param check  throws when the version cannot be used here (see check-imported.ts).
   */
  async import(
    bytes: Uint8Array,
    as?: string,
    check?: (version: HeadVersion, weights: HeadWeights) => Promise<void>,
  ): Promise<{ name: string; version: number }> {
    const { files, version, weights, name: exportedName } = readExport(bytes);
    await check?.(version, weights);
    const name = checkName(as ?? exportedName);
    const described = version;
    const number = await this.#change(name, (changes) =>
      this.#records.add(changes, name, { files, described }),
    );
    return { name, version: number };
  }

  /** As `HeadRecords.checkFits` */
  checkFits = (name: string, version: Pick<HeadVersion, "model" | "kind">): void =>
    this.#records.checkFits(name, version);

  #change<T>(name: string, work: (changes: FolderChanges) => Promise<T>): Promise<T> {
    return this.#queue.take(name, () => this.#options.files.change(work));
  }
}
