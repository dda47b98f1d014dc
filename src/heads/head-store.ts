import { AppError } from "../errors.js";
import type { Log } from "../log.js";
import {
  type HeadFiles,
  type HeadWeights,
  readExport,
  spaceOfHead,
  writeExport,
  writeHeadFiles,
} from "./head-files.js";
import {
  type Described,
  type Place,
  readDescription,
  readFiles,
  readWeights,
} from "./head-folder.js";
import { HeadVersion, type UsableHead, verdictOfHead } from "./head-version.js";
import { NameQueue } from "./name-queue.js";
import { checkName, VersionFolder } from "./version-folder.js";

/** One version as it is listed; `unusable` says why there is nothing else to tell. */
export type ListedVersion = { version: number; active: boolean } & (
  | HeadVersion
  | { unusable: string }
);

export interface ListedHead {
  name: string;
  /** Absent when no version of it can be read. */
  model?: string;
  activeVersion?: number;
  /** Why it is not known which version is active. */
  damage?: string;
  versions: ListedVersion[];
}

interface Head {
  versions: Map<number, Described>;
  /** The last one is active, unless `damage`. */
  history: number[];
  damage?: string;
  /** Versions whose weights could not be read when they were asked for last. */
  faults: Map<number, string>;
}

export interface HeadStoreOptions {
  /** `<dataDir>/heads` */
  folder: string;
  log: Log;
  /**
   * Names of the collections whose items were embedded with the head, or with that version of it.
   */
  usedBy?: (name: string, version?: number) => Promise<string[]>;
  /** Told after a version was activated. @returns ids of the jobs that this has begun. */
  onActivated?: (name: string) => Promise<string[]>;
}

/** Heads in the data folder, each with its versions, of which one at most is active. */
export class HeadStore {
  readonly #options: HeadStoreOptions;
  readonly #folder: VersionFolder;
  readonly #heads = new Map<string, Head>();
  readonly #queue = new NameQueue();
  /** Weights of versions that were asked for. */
  readonly #loaded = new Map<string, Promise<UsableHead>>();

  private constructor(options: HeadStoreOptions) {
    this.#options = options;
    this.#folder = new VersionFolder(options.folder);
  }

  /**
   * Reads the descriptions; weights are read when they are asked for. A version that cannot be read
   * holds back no other.
   */
  static async open(options: HeadStoreOptions): Promise<HeadStore> {
    const store = new HeadStore(options);
    for (const { name, numbers, history, damage } of await store.#folder.list()) {
      const versions = new Map<number, Described>();
      for (const version of numbers)
        versions.set(version, await readDescription(store.#place(name, version)));
      const active = history.at(-1);
      const isGone = active !== undefined && !versions.has(active);
      const head: Head = {
        versions,
        history: history.filter((version) => versions.has(version)),
        damage: isGone
          ? `Version ${active} of the head "${name}", which is active, is gone`
          : damage,
        faults: new Map(),
      };
      if (head.damage !== undefined)
        options.log.error({ head: name }, `no version of the head answers: ${head.damage}`);
      store.#heads.set(name, head);
    }
    return store;
  }

  /** What is wrong with the files of heads, in sentences. */
  damage(): string[] {
    return this.list().flatMap(({ damage, versions }) => [
      ...(damage === undefined ? [] : [damage]),
      ...versions.flatMap((version) => ("unusable" in version ? [version.unusable] : [])),
    ]);
  }

  list(): ListedHead[] {
    return [...this.#heads.keys()].sort().map((name) => this.get(name));
  }

  /** @throws AppError `not_found` */
  get(name: string): ListedHead {
    const { versions, history, damage, faults } = this.#of(name);
    const activeVersion = damage === undefined ? history.at(-1) : undefined;
    const listed = [...versions].map(([version, described]) => {
      const fault = faults.get(version);
      const found = fault === undefined ? described : { unusable: fault };
      return { version, active: version === activeVersion, ...found };
    });
    const model = listed.flatMap((version) => ("model" in version ? [version.model] : []))[0];
    return {
      name,
      model,
      activeVersion,
      damage,
      versions: listed.sort((one, other) => one.version - other.version),
    };
  }

  has(name: string): boolean {
    return this.#heads.has(name);
  }

  /**
   * The weights of a version, by default of the active one. What a request holds stays whole
   * whatever is activated meanwhile.
   * @throws AppError `not_found`; `conflict` when no version is active; `model_corrupt` or
   *   `storage_corrupt` when its files are damaged.
   */
  async use(name: string, version = this.#active(name)): Promise<UsableHead> {
    const described = this.#readable(name, version);
    const key = `${name}@${version}`;
    const found = this.#loaded.get(key);
    if (found !== undefined) return found;
    const loading = readWeights(described, this.#place(name, version));
    this.#loaded.set(key, loading);
    const { faults } = this.#of(name);
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
   * Keeps a new version; it answers once it is activated. Its space and parent follow from the
   * weights and from what is active. A job that is resumed after it had kept its version finds that
   * version.
   * @returns its number.
   */
  add(
    name: string,
    described: Omit<HeadVersion, "formatVersion" | "space" | "createdAt">,
    weights: HeadWeights,
  ): Promise<number> {
    return this.#queue.take(name, () => this.#add(name, described, weights));
  }

  async #add(
    name: string,
    described: Omit<HeadVersion, "formatVersion" | "space" | "createdAt">,
    weights: HeadWeights,
  ): Promise<number> {
    const files = writeHeadFiles(weights);
    const { kind, fromSpace, lineage } = described;
    const known = this.#heads.get(checkName(name));
    for (const [version, other] of known?.versions ?? []) {
      if (lineage.job !== undefined && "lineage" in other && other.lineage.job === lineage.job)
        return version;
    }
    const parent = known?.history.at(-1);
    return this.#keep(name, files, {
      ...described,
      formatVersion: 1,
      space: kind === "projection" ? spaceOfHead(fromSpace, files) : fromSpace,
      createdAt: new Date().toISOString(),
      lineage: { ...lineage, ...(parent !== undefined && { parent }) },
    });
  }

  /**
   * Makes a version the one that answers, from the next request on.
   * @returns ids of the jobs that re-project collections which follow the head.
   * @throws AppError `conflict` for a version that training found no improvement, unless `force`.
   */
  activate(name: string, version: number, { force = false } = {}): Promise<string[]> {
    return this.#queue.take(name, () => this.#activate(name, version, force));
  }

  async #activate(name: string, version: number, force: boolean): Promise<string[]> {
    await this.use(name, version); // damaged files show here and not in the next request
    const verdict = verdictOfHead(this.#readable(name, version));
    if (verdict?.improved === false && !force) {
      const message = `Version ${version} of the head "${name}" may not be activated: ${verdict.reason} "force" activates it all the same`;
      throw new AppError("conflict", message, { param: "version" });
    }
    const { history, damage } = this.#of(name);
    if (history.at(-1) !== version) return this.#remember(name, [...history, version]);
    if (damage !== undefined) return this.#remember(name, history);
    return this.catchUp(name); // a re-projection that was cut off is begun again
  }

  /**
   * Begins to re-project the collections that follow the head and are not of its active version.
   * @returns ids of jobs.
   */
  async catchUp(name: string): Promise<string[]> {
    return (await this.#options.onActivated?.(name)) ?? [];
  }

  /** Back to the version that was active before. @returns ids of jobs, as `activate`. */
  rollback(name: string): Promise<string[]> {
    return this.#queue.take(name, () => this.#rollback(name));
  }

  async #rollback(name: string): Promise<string[]> {
    const { history, damage } = this.#of(name);
    if (damage !== undefined) throw unknownActive(damage);
    if (history.length < 2) {
      throw new AppError("conflict", `No other version of the head "${name}" was active before`, {
        param: "name",
      });
    }
    const before = history[history.length - 2];
    await this.use(name, before);
    return this.#remember(name, history.slice(0, -1));
  }

  /**
   * @throws AppError `conflict` while a collection uses the head, or while a version is active,
   * unless `force`.
   */
  async remove(name: string, { force = false } = {}): Promise<void> {
    this.#of(name);
    await this.#refuseInUse(name);
    await this.#queue.take(name, async () => {
      const active = this.#of(name).history.at(-1);
      if (active !== undefined && !force) {
        const message = `The head "${name}" is active with version ${active}; "force" deletes it all the same`;
        throw new AppError("conflict", message, { param: "name" });
      }
      await this.#removeAll(name);
    });
  }

  async #removeAll(name: string): Promise<void> {
    await this.#folder.remove(name);
    this.#heads.delete(name);
    for (const key of this.#loaded.keys()) if (key.startsWith(`${name}@`)) this.#loaded.delete(key);
  }

  /** @throws AppError `conflict` for the active version; `not_found`. */
  async removeVersion(name: string, version: number): Promise<void> {
    this.#described(name, version);
    await this.#refuseInUse(name, version);
    await this.#queue.take(name, () => this.#removeVersion(name, version));
  }

  async #removeVersion(name: string, version: number): Promise<void> {
    const head = this.#of(name);
    this.#described(name, version);
    if (head.history.at(-1) === version) {
      throw new AppError("conflict", `Version ${version} of the head "${name}" is active`, {
        param: "version",
      });
    }
    if (head.damage === undefined && head.history.includes(version)) {
      const others = head.history.filter((other) => other !== version);
      await this.#remember(
        name,
        others.filter((other, i) => other !== others[i - 1]),
      );
    }
    await this.#folder.remove(name, version);
    head.versions.delete(version);
    this.#loaded.delete(`${name}@${version}`);
    head.faults.delete(version);
    if (head.versions.size === 0) await this.#removeAll(name);
  }

  /** A version as one file, for another server. */
  async export(name: string, version: number): Promise<Uint8Array> {
    const described = this.#readable(name, version);
    return writeExport(name, described, await readFiles(this.#folder.pathOf(name, version)));
  }

  /**
   * Keeps an exported version as the next one of its name, or of another. It is not activated.
   * @param check  throws when the version is of no use here (see check-imported.ts).
   */
  async import(
    bytes: Uint8Array,
    as?: string,
    check?: (version: HeadVersion, weights: HeadWeights) => Promise<void>,
  ): Promise<{ name: string; version: number }> {
    const { name, version, files, weights } = readExport(bytes);
    await check?.(version, weights);
    const own = checkName(as ?? name);
    const number = await this.#queue.take(own, () => this.#keep(own, files, version));
    return { name: own, version: number };
  }

  /**
   * Whether a version of that kind may bear the name: asked before hours of training are spent.
   * @throws AppError `invalid_input` for a name that cannot be one; `conflict` when the head is
   *   another model's, or of another use.
   */
  checkFits(name: string, version: Pick<HeadVersion, "model" | "kind">): void {
    for (const other of this.#heads.get(checkName(name))?.versions.values() ?? []) {
      if (!("model" in other)) continue;
      const sameUse = (other.kind === "projection") === (version.kind === "projection");
      if (other.model === version.model && sameUse) continue;
      const message = `The head "${name}" is a ${other.kind} of "${other.model}" already; expected another name for a ${version.kind} of "${version.model}"`;
      throw new AppError("conflict", message, { param: "name" });
    }
  }

  async #keep(name: string, files: HeadFiles, described: HeadVersion): Promise<number> {
    const version = HeadVersion.parse(described); // its fields in one order, whoever wrote them
    this.checkFits(name, version);
    const named = Object.entries(files).map(
      ([file, bytes]) => [`${file}.safetensors`, bytes] as const,
    );
    const json = `${JSON.stringify(version, undefined, 2)}\n`;
    const number = await this.#folder.add(name, {
      ...Object.fromEntries(named),
      "head.json": json,
    });
    const head: Head = this.#heads.get(name) ?? {
      versions: new Map(),
      history: [],
      faults: new Map(),
    };
    this.#heads.set(name, head);
    head.versions.set(number, version);
    return number;
  }

  #of(name: string) {
    const head = this.#heads.get(name);
    if (head !== undefined) return head;
    throw new AppError("not_found", `There is no head "${name}"`, { param: "head" });
  }

  #described(name: string, version: number): Described {
    const described = this.#of(name).versions.get(version);
    if (described !== undefined) return described;
    throw new AppError("not_found", `The head "${name}" has no version ${version}`, {
      param: "version",
    });
  }

  #readable(name: string, version: number): HeadVersion {
    const described = this.#described(name, version);
    if ("unusable" in described)
      throw new AppError("model_corrupt", described.unusable, { param: "head" });
    return described;
  }

  #active(name: string): number {
    const { history, damage } = this.#of(name);
    if (damage !== undefined) throw unknownActive(damage);
    const active = history.at(-1);
    if (active !== undefined) return active;
    throw new AppError("conflict", `No version of the head "${name}" is active`, { param: "head" });
  }

  async #remember(name: string, history: number[]): Promise<string[]> {
    const head = this.#of(name);
    const before = head.history.at(-1);
    await this.#folder.setHistory(name, history);
    head.history = history;
    head.damage = undefined;
    return history.at(-1) === before ? [] : this.catchUp(name);
  }

  async #refuseInUse(name: string, version?: number): Promise<void> {
    const users = (await this.#options.usedBy?.(name, version)) ?? [];
    if (users.length === 0) return;
    const what =
      version === undefined ? `The head "${name}"` : `Version ${version} of the head "${name}"`;
    const message = `${what} is used by the collection${users.length === 1 ? "" : "s"} ${users.join(", ")}`;
    throw new AppError("conflict", message, { param: "name" });
  }

  #place(name: string, version: number): Place {
    return { folder: this.#folder.pathOf(name, version), name, version, log: this.#options.log };
  }
}

const unknownActive = (damage: string) =>
  new AppError("storage_corrupt", `${damage}. Activate the version that is to answer`, {
    param: "head",
  });
