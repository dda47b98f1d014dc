import { join } from "node:path";
import { AppError } from "../errors.js";
import type { FolderChanges, StateFolder } from "../files/state-folder.js";
import type { Log } from "../log.js";
import { shippedModels } from "../models/built-in.js";
import { type BridgeRecord, readBridge } from "./bridge-record.js";
import {
  type Bridge,
  type BridgeReport,
  type Bridges,
  type ListedBridge,
  type NewBridge,
  type ReadBridgeVersion,
  readShippedBridges,
  withFit,
  writeBridgeFiles,
} from "./bridge-version.js";
import { LatestBridges, latestFile } from "./latest-bridges.js";
import { NameQueue } from "./name-queue.js";
import { activeIn, namesIn, noVersion, VersionFolder, versionIn } from "./version-folder.js";

export interface BridgeStoreOptions {
  files: StateFolder;
  shippedFolder?: string;
  /** The spaces of the loaded models, which may change. */
  spaces(): readonly { id: string; space: string }[];
  log: Log;
}

/** Shipped bridges and those made here, each with at most one active version. */
export class BridgeStore implements Bridges {
  readonly #options: BridgeStoreOptions;
  readonly #folder: VersionFolder;
  readonly #shipped: ReadonlyMap<string, ReadBridgeVersion>;
  readonly #bridges = new Map<string, BridgeRecord>();
  readonly #latest: LatestBridges;
  readonly #queue = new NameQueue();
  #active: Bridge[] = [];

  private constructor(
    options: BridgeStoreOptions,
    shipped: ReadonlyMap<string, ReadBridgeVersion>,
  ) {
    this.#options = options;
    this.#shipped = shipped;
    for (const [name, version] of shipped)
      this.#bridges.set(name, { versions: [version], history: [] });
    this.#folder = new VersionFolder(options.files.path, "bridge");
    this.#latest = new LatestBridges(options.files.path);
  }

  /** Reads everything. A version that cannot be read is logged and listed as such. */
  static async open(options: BridgeStoreOptions): Promise<BridgeStore> {
    const { shippedFolder = join(shippedModels, "bridges"), log, files } = options;
    const store = new BridgeStore(options, await readShippedBridges(shippedFolder, log));
    for (const { name } of await store.#folder.list()) await store.#read(name);
    await store.#latest.read(log);
    store.chooseActive();
    files.onChange = (paths) => store.#reload(paths);
    return store;
  }

  async #reload(paths: readonly string[]): Promise<void> {
    for (const name of namesIn(paths)) {
      if (name === latestFile) continue;
      const changed = paths.filter((path) => path.startsWith(`${name}/`)).map(versionIn);
      await this.#read(name, new Set(changed));
    }
    if (paths.includes(latestFile)) await this.#latest.read(this.#options.log);
    this.chooseActive();
  }

  /** @param changed  of a bridge that is there already, the versions to read. */
  async #read(name: string, changed?: ReadonlySet<number | undefined>): Promise<void> {
    const shipped = this.#shipped.get(name);
    const before = this.#bridges.get(name);
    const { log } = this.#options;
    const bridge = await readBridge(this.#folder, name, { shipped, before, changed, log });
    if (bridge === undefined) this.#bridges.delete(name);
    else this.#bridges.set(name, bridge);
  }

  /** Problems with the files of bridges, in sentences. */
  damage(): string[] {
    const bridges = [...this.#bridges.values()];
    const unreadable = bridges.flatMap(({ versions }) =>
      versions.filter(({ bridge }) => bridge === undefined),
    );
    return [
      ...bridges.flatMap(({ damage }) => damage ?? []),
      ...unreadable.flatMap(({ unusable }) => unusable ?? []),
    ];
  }

  /**
   * One bridge from one space into another: the last activated one, else one made here before a
   * shipped one, else the first by name.
   */
  active(): readonly Bridge[] {
    return this.#active;
  }

  list(): ListedBridge[] {
    return [...this.#bridges.keys()].sort().map((name) => this.get(name));
  }

  /** @throws AppError `not_found` */
  get(name: string): ListedBridge {
    const activeVersion = this.#activeVersion(name);
    const versions = this.#of(name).map(({ bridge: _, ...version }) => ({
      ...version,
      active: version.version === activeVersion,
    }));
    const inUse = this.#active.some((bridge) => bridge.name === name);
    return { name, inUse, damage: this.#bridges.get(name)?.damage, versions };
  }

  /** As `VersionFolder.checkNew`. */
  checkNew = (name: string): Promise<void> => this.#folder.checkNew(name);

  /**
   * Keeps a new version; it is used once it is activated. A job resumed after this step finds its
   * version.
   * @returns its number.
   */
  add(bridge: NewBridge): Promise<number> {
    return this.#change(bridge.name, (changes) => this.#add(changes, bridge));
  }

  async #add(changes: FolderChanges, bridge: NewBridge): Promise<number> {
    const { name, report } = bridge;
    const { versions } = this.#bridges.get(name) ?? { versions: [] };
    const kept = versions.find(
      (other) => report.job !== undefined && (other.report as BridgeReport)?.job === report.job,
    );
    if (kept !== undefined) return kept.version;
    const after = Math.max(0, ...versions.map((other) => other.version));
    return this.#folder.add(changes, name, writeBridgeFiles(bridge), after);
  }

  /** Uses the version from the next request on; running requests keep theirs. */
  activate(name: string, version: number): Promise<void> {
    return this.#change(name, (changes) => this.#activate(changes, name, version));
  }

  async #activate(changes: FolderChanges, name: string, version: number): Promise<void> {
    const { unusable } = this.#version(name, version);
    if (unusable !== undefined) throw new AppError("conflict", unusable, { param: "version" });
    if (this.#activeVersion(name) !== version)
      await this.#folder.setHistory(changes, name, [...this.#historyOf(name), version]);
    // Of several bridges between the same spaces the one that was activated last is used.
    await this.#latest.put(changes, name);
  }

  /** No version of the bridge is used from the next request on. */
  deactivate(name: string): Promise<void> {
    return this.#change(name, async (changes) => {
      if (this.#activeVersion(name) !== undefined)
        await this.#folder.setHistory(changes, name, [...this.#historyOf(name), noVersion]);
    });
  }

  /** Returns to the previously active version. @returns its number. */
  rollback(name: string): Promise<number> {
    return this.#change(name, (changes) => this.#rollback(changes, name));
  }

  async #rollback(changes: FolderChanges, name: string): Promise<number> {
    const damage = this.#bridges.get(name)?.damage;
    if (damage !== undefined) {
      const message = `${damage}. Activate the version to use`;
      throw new AppError("storage_corrupt", message, { param: "name" });
    }
    const history = this.#historyOf(name);
    if (history.length < 2) {
      throw new AppError("conflict", `The bridge "${name}" has no previously active version`, {
        param: "name",
      });
    }
    await this.#folder.setHistory(changes, name, history.slice(0, -1));
    return history[history.length - 2];
  }

  /** Removes the versions made here; a shipped one stays and is active again. */
  remove(name: string): Promise<void> {
    return this.#change(name, (changes) => this.#remove(changes, name));
  }

  async #remove(changes: FolderChanges, name: string): Promise<void> {
    if (this.#of(name).every(({ shipped }) => shipped)) {
      const message = `The bridge "${name}" is shipped with crossmodal and cannot be deleted`;
      throw new AppError("conflict", message, { param: "name" });
    }
    await this.#folder.remove(changes, name);
    await this.#latest.remove(changes, name);
  }

  #change<T>(name: string, work: (changes: FolderChanges) => Promise<T>): Promise<T> {
    return this.#queue.take(name, () => this.#options.files.change(work));
  }

  #of(name: string): ReadBridgeVersion[] {
    const bridge = this.#bridges.get(name);
    if (bridge !== undefined)
      return bridge.versions.map((read) => withFit(read, this.#options.spaces()));
    throw new AppError("not_found", `There is no bridge "${name}"`, { param: "name" });
  }

  #version(name: string, version: number): ReadBridgeVersion {
    const found = this.#of(name).find((stored) => stored.version === version);
    if (found !== undefined) return found;
    throw new AppError("not_found", `The bridge "${name}" has no version ${version}`, {
      param: "version",
    });
  }

  /** A shipped version is active from the start, unless another version was activated. */
  #historyOf(name: string): number[] {
    const history = this.#bridges.get(name)?.history ?? [];
    const isShipped = this.#of(name).some(({ shipped }) => shipped);
    return isShipped && history[0] !== 1 ? [1, ...history] : history;
  }

  #activeVersion(name: string): number | undefined {
    return this.#bridges.get(name)?.damage !== undefined
      ? undefined
      : activeIn(this.#historyOf(name));
  }

  /** To be called when other models are loaded: bridges of theirs may be used, or not any more. */
  chooseActive(): void {
    const active: Bridge[] = [];
    for (const name of [...this.#bridges.keys()].sort()) {
      const version = this.#of(name).find((other) => other.version === this.#activeVersion(name));
      if (version?.bridge === undefined) continue;
      if (version.unusable === undefined) active.push(version.bridge);
      else this.#options.log.info({ bridge: name, version: version.version }, version.unusable);
    }
    this.#active = this.#latest.choose(active);
  }
}
