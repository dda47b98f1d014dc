import { AppError } from "../errors.js";
import { refuseTwin } from "../files/refuse-twin.js";
import type { FolderChanges } from "../files/state-folder.js";
import type { Log } from "../log.js";
import type { HeadFiles } from "./head-files.js";
import { type Described, type Place, readDescription } from "./head-folder.js";
import { HeadVersion } from "./head-version.js";
import {
  activeIn,
  checkName,
  namesIn,
  noVersion,
  VersionFolder,
  type Versions,
  versionIn,
} from "./version-folder.js";

/** One version in a list; `unusable` says why nothing else is known. */
export type ListedVersion = { version: number; active: boolean } & (
  | HeadVersion
  | { unusable: string }
);

export interface ListedHead {
  name: string;
  /** Absent when none of its versions can be read. */
  model?: string;
  activeVersion?: number;
  /** Why the active version is unknown. */
  damage?: string;
  versions: ListedVersion[];
}

/** What is kept in memory for one head. */
export interface HeadRecord {
  versions: Map<number, Described>;
  /** The last one is active, unless `damage`. */
  history: number[];
  damage?: string;
  /** Versions whose weights could not be read when last needed, and why. */
  faults: Map<number, string>;
}

/**
 * The heads of the data folder as their files describe them: all versions, the active one, and
 * damage. Weights stay on disk.
 */
export class HeadRecords {
  readonly #log: Log;
  readonly #folder: VersionFolder;
  readonly #heads = new Map<string, HeadRecord>();

  private constructor(folder: string, log: Log) {
    this.#log = log;
    this.#folder = new VersionFolder(folder, "head");
  }

  /** Reads all descriptions. A version that cannot be read does not affect the others. */
  static async open(folder: string, log: Log): Promise<HeadRecords> {
    const records = new HeadRecords(folder, log);
    for (const versions of await records.#folder.list()) await records.#read(versions);
    return records;
  }

  /** Reads what changed. */
  async reload(paths: readonly string[]): Promise<void> {
    for (const name of namesIn(paths)) {
      const ofName = paths.filter((path) => path.startsWith(`${name}/`)).map(versionIn);
      await this.#read(await this.#folder.get(name), new Set(ofName));
    }
  }

  /** @param changed  of a head that is there already, the versions to read. */
  async #read(
    { name, numbers, history, damage }: Versions,
    changed: ReadonlySet<number | undefined> = new Set(),
  ): Promise<void> {
    if (numbers.length + history.length === 0 && damage === undefined) {
      this.#heads.delete(name);
      return;
    }
    const before = this.#heads.get(name);
    const versions = new Map<number, Described>();
    const faults = new Map<number, string>();
    for (const version of numbers) {
      const existing = changed.has(version) ? undefined : before?.versions.get(version);
      versions.set(version, existing ?? (await readDescription(this.place(name, version))));
      const fault = existing && before?.faults.get(version);
      if (fault !== undefined) faults.set(version, fault);
    }
    const active = activeIn(history);
    const isGone = active !== undefined && !versions.has(active);
    const head: HeadRecord = {
      versions,
      history: history.filter((version) => version === noVersion || versions.has(version)),
      damage: isGone
        ? `Version ${active} of the head "${name}", the active one, is missing`
        : damage,
      faults,
    };
    if (head.damage !== undefined)
      this.#log.error({ head: name }, `no version of the head is in use: ${head.damage}`);
    this.#heads.set(name, head);
  }

  /** Problems with the files of heads, in sentences. */
  damage(): string[] {
    return this.list().flatMap(({ damage, versions }) => [
      ...(damage === undefined ? [] : [damage]),
      ...versions.flatMap((version) => ("unusable" in version ? [version.unusable] : [])),
    ]);
  }

  list(): ListedHead[] {
    return [...this.#heads.keys()].sort().map((name) => this.listed(name));
  }

  /** @throws AppError `not_found` */
  listed(name: string): ListedHead {
    const { versions, history, damage, faults } = this.get(name);
    const activeVersion = damage === undefined ? activeIn(history) : undefined;
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

  find(name: string): HeadRecord | undefined {
    return this.#heads.get(name);
  }

  /** @throws AppError `not_found` */
  get(name: string): HeadRecord {
    const head = this.#heads.get(name);
    if (head !== undefined) return head;
    throw new AppError("not_found", `There is no head "${name}"`, { param: "head" });
  }

  /** @throws AppError `not_found` */
  described(name: string, version: number): Described {
    const described = this.get(name).versions.get(version);
    if (described !== undefined) return described;
    throw new AppError("not_found", `The head "${name}" has no version ${version}`, {
      param: "version",
    });
  }

  /** @throws AppError `not_found`; `model_corrupt` */
  readable(name: string, version: number): HeadVersion {
    const described = this.described(name, version);
    if ("unusable" in described)
      throw new AppError("model_corrupt", described.unusable, { param: "head" });
    return described;
  }

  /**
   * The number of the active version.
   * @throws AppError `not_found`; `conflict` when none is active; `storage_corrupt` when the active
   *   one is unknown.
   */
  active(name: string): number {
    const active = activeIn(this.history(name));
    if (active !== undefined) return active;
    throw new AppError("conflict", `No version of the head "${name}" is active`, { param: "head" });
  }

  /** Activations so far. @throws AppError `not_found`; `storage_corrupt` when they are unknown. */
  history(name: string): readonly number[] {
    const { history, damage } = this.get(name);
    if (damage === undefined) return history;
    throw new AppError("storage_corrupt", `${damage}. Activate the version to use`, {
      param: "head",
    });
  }

  place(name: string, version: number): Place {
    return { folder: this.#folder.pathOf(name, version), name, version, log: this.#log };
  }

  /**
   * Checks that a version of that kind may have the name, before hours of training are spent.
   * @throws AppError `invalid_input` for a name that cannot be one; `conflict` when the head
   *   belongs to another model or is of another kind, or differs from one in case alone.
   */
  checkFits(name: string, version: Pick<HeadVersion, "model" | "kind">): void {
    refuseTwin("head", checkName(name), [...this.#heads.keys()]);
    for (const other of this.#heads.get(name)?.versions.values() ?? []) {
      if (!("model" in other)) continue;
      const sameUse = (other.kind === "projection") === (version.kind === "projection");
      if (other.model === version.model && sameUse) continue;
      const message =
        `The head "${name}" is already a ${other.kind} of "${other.model}"; expected another ` +
        `name for a ${version.kind} of "${version.model}"`;
      throw new AppError("conflict", message, { param: "name" });
    }
  }

  /** Writes a new version, which is not active. @returns its number. */
  async add(
    changes: FolderChanges,
    name: string,
    { files, described }: { files: HeadFiles; described: HeadVersion },
  ): Promise<number> {
    const version = HeadVersion.parse(described); // fields in a fixed order
    this.checkFits(name, version);
    const named = Object.entries(files).map(
      ([file, bytes]) => [`${file}.safetensors`, bytes] as const,
    );
    return this.#folder.add(changes, name, {
      ...Object.fromEntries(named),
      "head.json": `${JSON.stringify(version, undefined, 2)}\n`,
    });
  }

  /** Makes the last version of `history` active. */
  async setHistory(changes: FolderChanges, name: string, history: number[]): Promise<void> {
    this.get(name);
    await this.#folder.setHistory(changes, name, history);
  }

  async remove(changes: FolderChanges, name: string): Promise<void> {
    await this.#folder.remove(changes, name);
  }

  /** Removing its last version removes the head. */
  async removeVersion(changes: FolderChanges, name: string, version: number): Promise<void> {
    const isLast = this.get(name).versions.size === 1;
    await this.#folder.remove(changes, name, isLast ? undefined : version);
  }
}
