import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { type ProjectionHead, readHead, writeHead } from "../encoders/head.js";
import { AppError } from "../errors.js";
import type { Log } from "../log.js";
import { readSafetensors } from "../math/safetensors.js";
import { shippedModels } from "../models/built-in.js";
import { NameQueue } from "./name-queue.js";
import { VersionFolder } from "./version-folder.js";

/** A head from one space into another, ready for use. */
export interface Bridge {
  name: string;
  version: number;
  fromSpace: string;
  toSpace: string;
  head: ProjectionHead;
  /** Comes with the product; always version 1. */
  shipped: boolean;
}

/** The bridges that searches may take. */
export interface Bridges {
  active(): readonly Bridge[];
}

/** What is written down when a bridge is made, in the spelling of the wire. */
export interface BridgeReport {
  texts: number;
  job?: string;
  [fact: string]: unknown;
}

/** One version as it is listed. */
export interface BridgeVersion {
  version: number;
  shipped: boolean;
  active: boolean;
  fromSpace?: string;
  toSpace?: string;
  method?: string;
  /** Why it cannot be used with the loaded models, or at all. */
  unusable?: string;
  report?: unknown;
}

export interface ListedBridge {
  name: string;
  /** Whether searches take its active version. */
  inUse: boolean;
  /** Why it is not known which version is active. */
  damage?: string;
  versions: BridgeVersion[];
}

export interface BridgeStoreOptions {
  /** `<dataDir>/bridges` */
  folder: string;
  shippedFolder?: string;
  /** The spaces of the loaded models. */
  packs: readonly { id: string; space: string }[];
  log: Log;
}

type NewBridge = Pick<Bridge, "name" | "fromSpace" | "toSpace" | "head"> & {
  method: string;
  report: BridgeReport;
};

interface Stored extends BridgeVersion {
  bridge?: Bridge;
}

/** Bridges that come with the product and those made here, of which one version each is active. */
export class BridgeStore implements Bridges {
  readonly #options: Required<BridgeStoreOptions>;
  readonly #folder: VersionFolder;
  readonly #versions = new Map<string, Stored[]>();
  readonly #history = new Map<string, number[]>();
  /** Bridges of which it is not known which version is active, and why. */
  readonly #damage = new Map<string, string>();
  readonly #queue = new NameQueue();
  #active: Bridge[] = [];

  private constructor(options: BridgeStoreOptions) {
    this.#options = { shippedFolder: join(shippedModels, "bridges"), ...options };
    this.#folder = new VersionFolder(options.folder);
  }

  /**
   * Reads everything. A version that cannot be read is logged and listed, and holds back no other.
   */
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
      const isThere = (number: number) => stored.some(({ version }) => version === number);
      const active = history.at(-1);
      const gone =
        active === undefined || isThere(active)
          ? undefined
          : `Version ${active} of the bridge "${name}", which is active, is gone`;
      store.#history.set(name, history.filter(isThere));
      const why = damage ?? gone;
      if (why === undefined) continue;
      store.#damage.set(name, why);
      options.log.error({ bridge: name }, `no version of the bridge is used: ${why}`);
    }
    store.#settle();
    return store;
  }

  /** What is wrong with the files of bridges, in sentences. */
  damage(): string[] {
    const versions = [...this.#versions.values()].flat();
    const unreadable = versions.filter(({ bridge }) => bridge === undefined);
    return [...this.#damage.values(), ...unreadable.flatMap(({ unusable }) => unusable ?? [])];
  }

  /**
   * One bridge from a space into another: what was made here goes before what is shipped, then the
   * first name.
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
   * Keeps a new version; it is used once it is activated. A job that is resumed after it had kept
   * its version finds that version.
   * @returns its number.
   */
  add(bridge: NewBridge): Promise<number> {
    return this.#queue.take(bridge.name, () => this.#add(bridge));
  }

  async #add(bridge: NewBridge): Promise<number> {
    const { name, fromSpace, toSpace, head, method, report } = bridge;
    const metadata = { name, from_space: fromSpace, to_space: toSpace, method };
    const known = this.#versions.get(name) ?? [];
    const kept = known.find(
      (other) => report.job !== undefined && (other.report as BridgeReport)?.job === report.job,
    );
    if (kept !== undefined) return kept.version;
    const version = await this.#folder.add(
      name,
      {
        "bridge.safetensors": writeHead(head, metadata),
        "report.json": `${JSON.stringify(report, undefined, 2)}\n`,
      },
      Math.max(0, ...known.map((other) => other.version)),
    );
    known.push(await this.#read(name, version, this.#folder.pathOf(name, version), false));
    this.#versions.set(name, known);
    return version;
  }

  /** The version answers from the next request on; a request under way keeps what it began with. */
  activate(name: string, version: number): Promise<void> {
    return this.#queue.take(name, () => this.#activate(name, version));
  }

  async #activate(name: string, version: number): Promise<void> {
    const { unusable } = this.#version(name, version);
    if (unusable !== undefined) throw new AppError("conflict", unusable, { param: "version" });
    if (this.#activeVersion(name) === version) return;
    await this.#remember(name, [...this.#historyOf(name), version]);
  }

  /** Back to the version that was active before. @returns its number. */
  rollback(name: string): Promise<number> {
    return this.#queue.take(name, () => this.#rollback(name));
  }

  async #rollback(name: string): Promise<number> {
    const damage = this.#damage.get(name);
    if (damage !== undefined) {
      const message = `${damage}. Activate the version that is to be used`;
      throw new AppError("storage_corrupt", message, { param: "name" });
    }
    const history = this.#historyOf(name);
    if (history.length < 2) {
      throw new AppError("conflict", `No version of the bridge "${name}" was active before`, {
        param: "name",
      });
    }
    await this.#remember(name, history.slice(0, -1));
    return history[history.length - 2];
  }

  /** Removes the versions made here; a shipped one stays and is active again. */
  remove(name: string): Promise<void> {
    return this.#queue.take(name, () => this.#remove(name));
  }

  async #remove(name: string): Promise<void> {
    const own = this.#of(name).filter(({ shipped }) => !shipped);
    if (own.length === 0) {
      throw new AppError(
        "conflict",
        `The bridge "${name}" comes with the product and cannot be deleted`,
        {
          param: "name",
        },
      );
    }
    await this.#folder.remove(name);
    const shipped = this.#of(name).filter((version) => version.shipped);
    if (shipped.length > 0) this.#versions.set(name, shipped);
    else this.#versions.delete(name);
    this.#history.delete(name);
    this.#damage.delete(name);
    this.#settle();
  }

  #of(name: string): Stored[] {
    const versions = this.#versions.get(name);
    if (versions !== undefined) return versions;
    throw new AppError("not_found", `There is no bridge "${name}"`, { param: "name" });
  }

  #version(name: string, version: number): Stored {
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
    return this.#damage.has(name) ? undefined : this.#historyOf(name).at(-1);
  }

  async #remember(name: string, history: number[]): Promise<void> {
    await this.#folder.setHistory(name, history);
    this.#history.set(name, history);
    this.#damage.delete(name);
    this.#settle();
  }

  #settle(): void {
    const active: Bridge[] = [];
    for (const [name, versions] of [...this.#versions].sort(([one], [other]) =>
      one < other ? -1 : 1,
    )) {
      const version = versions.find((stored) => stored.version === this.#activeVersion(name));
      if (version?.bridge === undefined) continue;
      if (version.unusable === undefined) active.push(version.bridge);
      else this.#options.log.info({ bridge: name, version: version.version }, version.unusable);
    }
    active.sort((one, other) => Number(one.shipped) - Number(other.shipped));
    const isFirst = ({ fromSpace, toSpace }: Bridge, at: number) =>
      active.findIndex((other) => other.fromSpace === fromSpace && other.toSpace === toSpace) ===
      at;
    this.#active = active.filter(isFirst);
  }

  async #read(name: string, version: number, folder: string, shipped: boolean): Promise<Stored> {
    const listed = { version, shipped, active: false };
    try {
      if (!shipped) await this.#folder.verify(name, version);
      const bytes = await readFile(join(folder, "bridge.safetensors"));
      const { from_space: fromSpace, to_space: toSpace, method } = readSafetensors(bytes).metadata;
      if (fromSpace === undefined || toSpace === undefined) {
        throw new AppError("model_corrupt", "The bridge's file names no spaces");
      }
      const bridge = { name, version, fromSpace, toSpace, head: readHead(bytes), shipped };
      const report = await readJson(join(folder, "report.json"));
      return {
        ...listed,
        fromSpace,
        toSpace,
        method,
        report,
        unusable: this.#misfit(bridge),
        bridge,
      };
    } catch (error) {
      this.#options.log.error({ err: error, bridge: name, version }, "a bridge cannot be read");
      const why = error instanceof AppError ? error.message : "its file is missing";
      return {
        ...listed,
        unusable: `Version ${version} of the bridge "${name}" cannot be used: ${why}`,
      };
    }
  }

  /**
   * A space is an identity: a bridge between former weights of a model is of no use with the
   * present ones.
   */
  #misfit({ name, version, fromSpace, toSpace }: Bridge): string | undefined {
    const { packs } = this.#options;
    const said = `Version ${version} of the bridge "${name}"`;
    if (!packs.some(({ space }) => space === fromSpace)) {
      return `${said} starts from ${fromSpace}, which no loaded model embeds into`;
    }
    const target = packs.find(({ id }) => toSpace.startsWith(`${id}@`));
    if (target === undefined || toSpace === target.space || toSpace.startsWith(`${target.space}+`))
      return undefined;
    return `${said} leads to ${toSpace}, but "${target.id}" embeds into ${target.space}`;
  }
}

async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, "utf8"));
  } catch {
    return undefined;
  }
}
