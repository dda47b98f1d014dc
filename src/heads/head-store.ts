import { AppError } from "../errors.js";
import type { Log } from "../log.js";
import {
  type HeadWeights,
  readExport,
  spaceOfHead,
  writeExport,
  writeHeadFiles,
} from "./head-files.js";
import { readFiles, readWeights } from "./head-folder.js";
import { HeadRecords, type ListedHead, usedBy } from "./head-records.js";
import { type HeadVersion, type UsableHead, verdictOfHead } from "./head-version.js";
import { NameQueue } from "./name-queue.js";
import { activeIn, checkName, noVersion } from "./version-folder.js";

export interface HeadStoreOptions {
  /** `<dataDir>/heads` */
  folder: string;
  log: Log;
  /** Names of the collections whose items were embedded with the head, or that version of it. */
  usedBy?: (name: string, version?: number) => Promise<string[]>;
  /** Called after a version was activated. @returns ids of the jobs that this started. */
  onActivated?: (name: string, active: number | undefined) => Promise<string[]>;
}

/** A version to keep; the rest of its description follows from its weights and the store. */
export type NewHeadVersion = Omit<HeadVersion, "formatVersion" | "space" | "createdAt">;

/**
 * Heads in the data folder, each with its versions, of which at most one is active.
 */
export class HeadStore {
  readonly #options: HeadStoreOptions;
  readonly #records: HeadRecords;
  readonly #queue = new NameQueue();
  /** Loaded weights by `NAME@VERSION`. */
  readonly #loaded = new Map<string, Promise<UsableHead>>();

  private constructor(options: HeadStoreOptions, records: HeadRecords) {
    this.#options = options;
    this.#records = records;
  }

  /** Reads the descriptions; weights are read on first use. */
  static async open(options: HeadStoreOptions): Promise<HeadStore> {
    return new HeadStore(options, await HeadRecords.open(options.folder, options.log));
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
  async use(name: string, version = this.#records.active(name)): Promise<UsableHead> {
    const described = this.#records.readable(name, version);
    const key = `${name}@${version}`;
    const found = this.#loaded.get(key);
    if (found !== undefined) return found;
    const loading = readWeights(described, this.#records.place(name, version));
    this.#loaded.set(key, loading);
    const { faults } = this.#records.get(name);
    loading.then(
      () => faults.delete(version),
      (error: Error) => {
        faults.set(version, error.message);
        this.#loaded.delete(key); // a file put back is read again
      },
    );
    return loading;
  }

  /**
   * Keeps a new version; it is used once it is activated. A job resumed after this step finds its
   * version.
   * @returns its number.
   */
  add(name: string, described: NewHeadVersion, weights: HeadWeights): Promise<number> {
    return this.#queue.take(name, () => this.#add(name, described, weights));
  }

  async #add(name: string, described: NewHeadVersion, weights: HeadWeights): Promise<number> {
    const files = writeHeadFiles(weights);
    const { kind, fromSpace, lineage } = described;
    const head = this.#records.find(checkName(name));
    for (const [version, other] of head?.versions ?? []) {
      if (lineage.job !== undefined && "lineage" in other && other.lineage.job === lineage.job)
        return version;
    }
    const parent = head && activeIn(head.history);
    return this.#records.add(name, files, {
      ...described,
      formatVersion: 1,
      space: kind === "projection" ? spaceOfHead(fromSpace, files) : fromSpace,
      createdAt: new Date().toISOString(),
      lineage: { ...lineage, ...(parent !== undefined && { parent }) },
    });
  }

  /**
   * Activates a version from the next request on.
   * @returns ids of the jobs that re-project collections which follow the head.
   * @throws AppError `conflict` for a version that training found to be no improvement, unless
   *   `force`.
   */
  activate(name: string, version: number, { force = false } = {}): Promise<string[]> {
    return this.#queue.take(name, () => this.#activate(name, version, force));
  }

  async #activate(name: string, version: number, force: boolean): Promise<string[]> {
    await this.use(name, version); // damaged files must fail here, not in the next request
    const verdict = verdictOfHead(this.#records.readable(name, version));
    if (verdict?.improved === false && !force) {
      const message =
        `Version ${version} of the head "${name}" was not activated: ${verdict.reason} ` +
        'Activate it with "force"';
      throw new AppError("conflict", message, { param: "version" });
    }
    const { history, damage } = this.#records.get(name);
    if (history.at(-1) !== version) return this.#setHistory(name, [...history, version]);
    if (damage !== undefined) return this.#setHistory(name, history);
    return this.catchUp(name); // starts an interrupted re-projection again
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
    await this.#queue.take(name, async () => {
      const history = this.#records.history(name);
      if (activeIn(history) !== undefined) await this.#setHistory(name, [...history, noVersion]);
    });
  }

  /** Returns to the previously active version. @returns ids of jobs, as `activate`. */
  rollback(name: string): Promise<string[]> {
    return this.#queue.take(name, async () => {
      const history = this.#records.history(name);
      const before = history.at(-2);
      if (before === undefined) {
        const message = `The head "${name}" has no previously active version`;
        throw new AppError("conflict", message, { param: "name" });
      }
      if (before !== noVersion) await this.use(name, before);
      return this.#setHistory(name, history.slice(0, -1));
    });
  }

  /** @throws AppError `conflict` while a collection uses it, or it is active, unless `force`. */
  async remove(name: string, { force = false } = {}): Promise<void> {
    this.#records.get(name);
    await this.#refuseInUse(name);
    await this.#queue.take(name, async () => {
      const active = activeIn(this.#records.get(name).history);
      if (active !== undefined && !force) {
        const message = `The head "${name}" is active with version ${active}; "force" deletes it`;
        throw new AppError("conflict", message, { param: "name" });
      }
      await this.#records.remove(name);
      for (const key of this.#loaded.keys())
        if (key.startsWith(`${name}@`)) this.#loaded.delete(key);
    });
  }

  /** @throws AppError `conflict` for the active version; `not_found`. */
  async removeVersion(name: string, version: number): Promise<void> {
    this.#records.described(name, version);
    await this.#refuseInUse(name, version);
    await this.#queue.take(name, () => this.#removeVersion(name, version));
  }

  async #removeVersion(name: string, version: number): Promise<void> {
    this.#records.described(name, version);
    const { history, damage } = this.#records.get(name);
    if (history.at(-1) === version) {
      const message = `Version ${version} of the head "${name}" is active`;
      throw new AppError("conflict", message, { param: "version" });
    }
    if (damage === undefined && history.includes(version)) {
      const others = history.filter((other) => other !== version);
      const withoutRepeats = others.filter((other, i) => other !== others[i - 1]);
      await this.#setHistory(name, withoutRepeats);
    }
    await this.#records.removeVersion(name, version);
    this.#loaded.delete(`${name}@${version}`);
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
    const number = await this.#queue.take(name, () => this.#records.add(name, files, version));
    return { name, version: number };
  }

  /** @throws AppError as `HeadRecords.checkFits` */
  checkFits = (name: string, version: Pick<HeadVersion, "model" | "kind">): void =>
    this.#records.checkFits(name, version);

  /** When this changes the active version, collections follow. */
  async #setHistory(name: string, history: number[]): Promise<string[]> {
    const before = this.#records.get(name).history.at(-1);
    await this.#records.setHistory(name, history);
    return history.at(-1) === before ? [] : this.catchUp(name);
  }

  async #refuseInUse(name: string, version?: number): Promise<void> {
    const users = (await this.#options.usedBy?.(name, version)) ?? [];
    if (users.length > 0) throw usedBy(users, name, version);
  }
}
