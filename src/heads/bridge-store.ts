import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { AppError } from "../errors.js";
import type { Log } from "../log.js";
import { shippedModels } from "../models/built-in.js";
import {
  type Bridge,
  type BridgeReport,
  type Bridges,
  type ListedBridge,
  type NewBridge,
  type ReadBridgeVersion,
  readBridgeVersion,
  withFit,
  writeBridgeFiles,
} from "./bridge-version.js";
import { LatestBridges } from "./latest-bridges.js";
import { NameQueue } from "./name-queue.js";
import { activeIn, noVersion, VersionFolder } from "./version-folder.js";

export interface BridgeStoreOptions {
  /** `<dataDir>/bridges` */
  folder: string;
  shippedFolder?: string;
  /** The spaces of the loaded models, which may change. */
  spaces(): readonly { id: string; space: string }[];
  log: Log;
}

/** Shipped bridges and those made here, each with at most one active version. */
export class BridgeStore implements Bridges {
  readonly #options: Required<BridgeStoreOptions>;
  readonly #folder: VersionFolder;
  readonly #versions = new Map<string, ReadBridgeVersion[]>();
  readonly #history = new Map<string, number[]>();
  readonly #latest: LatestBridges;
  /** Bridges whose active version is unknown, and why. */
  readonly #damage = new Map<string, string>();
  readonly #queue = new NameQueue();
  #active: Bridge[] = [];

  private constructor(options: BridgeStoreOptions) {
    this.#options = { shippedFolder: join(shippedModels, "bridges"), ...options };
    this.#folder = new VersionFolder(options.folder);
    this.#latest = new LatestBridges(join(options.folder, "latest.json"));
  }

  /** Reads everything. A version that cannot be read is logged and listed as such. */
  static async open(options: BridgeStoreOptions): Promise<BridgeStore> {
    const store = new BridgeStore(options);
    const { shippedFolder } = store.#options;
    for (const name of existsSync(shippedFolder) ? (await readdir(shippedFolder)).sort() : []) {
      store.#versions.set(name, [await store.#read(name, 1, join(shippedFolder, name), true)]);
    }
    for (const { name, numbers, history, damage } of await store.#folder.list()) {
      const stored = store.#versions.get(name) ?? [];
      for (const version of numbers) {
        stored.push(await store.#read(name, version, store.#folder.pathOf(name, version), false));
      }
      store.#versions.set(name, stored);
      const isThere = (number: number) =>
        number === noVersion || stored.some(({ version }) => version === number);
      const active = activeIn(history);
      const gone =
        active === undefined || isThere(active)
          ? undefined
          : `Version ${active} of the bridge "${name}", the active one, is missing`;
      store.#history.set(name, history.filter(isThere));
      const why = damage ?? gone;
      if (why === undefined) continue;
      store.#damage.set(name, why);
      options.log.error({ bridge: name }, `no version of the bridge is used: ${why}`);
    }
    await store.#latest.read(options.log);
    store.chooseActive();
    return store;
  }

  /** Problems with the files of bridges, in sentences. */
  damage(): string[] {
    const versions = [...this.#versions.values()].flat();
    const unreadable = versions.filter(({ bridge }) => bridge === undefined);
    return [...this.#damage.values(), ...unreadable.flatMap(({ unusable }) => unusable ?? [])];
  }

  /**
   * One bridge from one space into another: the last activated one, else one made here before a
   * shipped one, else the first by name.
   */
  active(): readonly Bridge[] {
    return this.#active;
  }

  list(): ListedBridge[] {
    return [...this.#versions.keys()].sort().map((name) => this.get(name));
  }

  /** @throws AppError `not_found` */
  get(name: string): ListedBridge {
    const activeVersion = this.#activeVersion(name);
    const versions = this.#of(name).map(({ bridge: _, ...version }) => ({
      ...version,
      active: version.version === activeVersion,
    }));
    const inUse = this.#active.some((bridge) => bridge.name === name);
    return { name, inUse, damage: this.#damage.get(name), versions };
  }

  /**
   * Keeps a new version; it is used once it is activated. A job resumed after this step finds its
   * version.
   * @returns its number.
   */
  add(bridge: NewBridge): Promise<number> {
    return this.#queue.take(bridge.name, () => this.#add(bridge));
  }

  async #add(bridge: NewBridge): Promise<number> {
    const { name, report } = bridge;
    const versions = this.#versions.get(name) ?? [];
    const kept = versions.find(
      (other) => report.job !== undefined && (other.report as BridgeReport)?.job === report.job,
    );
    if (kept !== undefined) return kept.version;
    const version = await this.#folder.add(
      name,
      writeBridgeFiles(bridge),
      Math.max(0, ...versions.map((other) => other.version)),
    );
    versions.push(await this.#read(name, version, this.#folder.pathOf(name, version), false));
    this.#versions.set(name, versions);
    return version;
  }

  /** Uses the version from the next request on; running requests keep theirs. */
  activate(name: string, version: number): Promise<void> {
    return this.#queue.take(name, () => this.#activate(name, version));
  }

  async #activate(name: string, version: number): Promise<void> {
    const { unusable } = this.#version(name, version);
    if (unusable !== undefined) throw new AppError("conflict", unusable, { param: "version" });
    if (this.#activeVersion(name) !== version)
      await this.#setHistory(name, [...this.#historyOf(name), version]);
    // Of several bridges between the same spaces the one that was activated last is used.
    await this.#latest.put(name);
    this.chooseActive();
  }

  /** From the next request on, no version of the bridge is used. */
  deactivate(name: string): Promise<void> {
    return this.#queue.take(name, async () => {
      if (this.#activeVersion(name) !== undefined)
        await this.#setHistory(name, [...this.#historyOf(name), noVersion]);
    });
  }

  /** Returns to the previously active version. @returns its number. */
  rollback(name: string): Promise<number> {
    return this.#queue.take(name, () => this.#rollback(name));
  }

  async #rollback(name: string): Promise<number> {
    const damage = this.#damage.get(name);
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
    await this.#setHistory(name, history.slice(0, -1));
    return history[history.length - 2];
  }

  /** Removes the versions made here; a shipped one stays and is active again. */
  remove(name: string): Promise<void> {
    return this.#queue.take(name, () => this.#remove(name));
  }

  async #remove(name: string): Promise<void> {
    if (this.#of(name).every(({ shipped }) => shipped)) {
      const message = `The bridge "${name}" is shipped with crossmodal and cannot be deleted`;
      throw new AppError("conflict", message, { param: "name" });
    }
    await this.#folder.remove(name);
    const shipped = this.#of(name).filter((version) => version.shipped);
    if (shipped.length > 0) this.#versions.set(name, shipped);
    else this.#versions.delete(name);
    this.#history.delete(name);
    this.#damage.delete(name);
    await this.#latest.remove(name);
    this.chooseActive();
  }

  #of(name: string): ReadBridgeVersion[] {
    const versions = this.#versions.get(name);
    if (versions !== undefined)
      return versions.map((read) => withFit(read, this.#options.spaces()));
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
    const history = this.#history.get(name) ?? [];
    const isShipped = this.#of(name).some(({ shipped }) => shipped);
    return isShipped && history[0] !== 1 ? [1, ...history] : history;
  }

  #activeVersion(name: string): number | undefined {
    return this.#damage.has(name) ? undefined : activeIn(this.#historyOf(name));
  }

  async #setHistory(name: string, history: number[]): Promise<void> {
    await this.#folder.setHistory(name, history);
    this.#history.set(name, history);
    this.#damage.delete(name);
    this.chooseActive();
  }

  /** To be called when other models are loaded: bridges of theirs may be used, or not any more. */
  chooseActive(): void {
    const active: Bridge[] = [];
    for (const name of [...this.#versions.keys()].sort()) {
      const version = this.#of(name).find((other) => other.version === this.#activeVersion(name));
      if (version?.bridge === undefined) continue;
      if (version.unusable === undefined) active.push(version.bridge);
      else this.#options.log.info({ bridge: name, version: version.version }, version.unusable);
    }
    this.#active = this.#latest.choose(active);
  }

  async #read(name: string, version: number, folder: string, shipped: boolean) {
    return readBridgeVersion(folder, { name, version, shipped }, this.#options.log);
  }
}
