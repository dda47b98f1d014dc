import { type Dirent, existsSync } from "node:fs";
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { AppError } from "../errors.js";
import { checkedJson, damaged, readCheckedJson } from "../files/checked-json.js";
import { checksumsFile, checksumsOf, verifyChecksums } from "../files/checksums.js";
import { isLeftover } from "../files/is-leftover.js";
import { readRegularFile } from "../files/read-regular.js";
import { refuseTwin } from "../files/refuse-twin.js";
import type { FolderChanges } from "../files/state-folder.js";
import { storageError } from "../files/write-durably.js";

/** In a version's folder: its name and number. */
const labelFile = "version.json";
const maxLabelBytes = 1000;

/** In a history: no version is active. */
export const noVersion = 0;
/** The version that a history makes active. */
export const activeIn = (history: readonly number[]): number | undefined =>
  history.at(-1) || undefined;

/** A history in which a version never was active. */
export function withoutVersion(history: readonly number[], version: number): number[] {
  const others = history.filter((other) => other !== version);
  return others.filter((other, i) => other !== others[i - 1]);
}

const activeFile = "active.json";

/** The versions of one name. */
export interface Versions {
  name: string;
  /** Ascending. */
  numbers: number[];
  /**
   * Versions in order of activation; the last one is active, and a rollback returns to the one
   * before. `noVersion` where the name was deactivated.
   */
  history: number[];
  /** Why the active version is unknown. */
  damage?: string;
}

/**
 * Named things in numbered versions: `NAME/VERSION/` holds a version's files, which never change,
 * with their sums in `SHA256SUMS` and its name and number in `version.json`; `NAME/active.json`
 * holds the history of activations. A version appears once all its files are on disk; an activation
 * replaces one small file.
 */
export class VersionFolder {
  readonly #folder: string;
  readonly #what: string;

  /** @param what  is in it, in the singular: for messages. */
  constructor(folder: string, what: string) {
    this.#folder = folder;
    this.#what = what;
  }

  pathOf(name: string, version: number): string {
    return join(this.#folder, name, String(version));
  }

  /** Every name, in alphabetical order. Leftovers of an interrupted `add` are removed. */
  async list(): Promise<Versions[]> {
    if (!existsSync(this.#folder)) return [];
    const all: Versions[] = [];
    for (const entry of await readdir(this.#folder, { withFileTypes: true })) {
      if (entry.name.startsWith(".building-")) {
        const building = join(this.#folder, entry.name);
        if (await isLeftover(building)) await rm(building, { recursive: true, force: true });
      } else if (isNamed(entry)) all.push(await this.#read(entry.name));
    }
    return all
      .filter(({ numbers, history, damage }) => numbers.length + history.length > 0 || damage)
      .sort((one, other) => (one.name < other.name ? -1 : 1));
  }

  async get(name: string): Promise<Versions> {
    // By its exact name: some disks would also find it in another case
    if ((await this.#names()).includes(checkName(name))) return this.#read(name);
    return { name, numbers: [], history: [] };
  }

  async #read(name: string): Promise<Versions> {
    const folder = join(this.#folder, name);
    const entries = await readdir(folder);
    const numbers = entries.filter((entry) => /^[1-9]\d{0,8}$/.test(entry)).map(Number);
    return {
      name,
      numbers: numbers.sort((one, other) => one - other),
      ...(await readHistory(folder, name, numbers)),
    };
  }

  async #names(): Promise<string[]> {
    if (!existsSync(this.#folder)) return [];
    const entries = await readdir(this.#folder, { withFileTypes: true });
    return entries.filter(isNamed).map((entry) => entry.name);
  }

  /**
   * Checks that a version may be added, before hours of work are spent on it.
   * @throws AppError `invalid_input` for a name that cannot be one, `conflict` for one that some
   *   disks could not tell from another.
   */
  async checkNew(name: string): Promise<void> {
    refuseTwin(this.#what, checkName(name), await this.#names());
  }

  /**
   * Adds a version under the next free number.
   * @param after  the number is larger than this.
   * @throws AppError as `checkNew`; `storage_full`, `storage_failed`.
   */
  async add(
    changes: FolderChanges,
    name: string,
    files: Record<string, Uint8Array | string>,
    after = 0,
  ): Promise<number> {
    await this.checkNew(name);
    const { numbers } = await this.get(name);
    try {
      // From the first version on, so that a missing one is noticed.
      if (numbers.length === 0 && !existsSync(join(this.#folder, name, activeFile)))
        await this.setHistory(changes, name, []);
      for (let version = Math.max(after, ...numbers) + 1; ; version++) {
        const all = { ...files, [labelFile]: JSON.stringify({ name, version }) };
        const folder = { ...all, [checksumsFile]: checksumsOf(all) };
        if (await changes.addFolder(`${name}/${version}`, folder)) return version;
        // Another process took the number: the next one is free.
      }
    } catch (error) {
      throw error instanceof AppError ? error : storageError(error, join(this.#folder, name));
    }
  }

  /** Stores which version is active (the last one) and which ones were before. */
  async setHistory(
    changes: FolderChanges,
    name: string,
    history: readonly number[],
  ): Promise<void> {
    await changes.write(`${checkName(name)}/${activeFile}`, checkedJson({ name, history }));
  }

  /** Removes a version, or a name with all its versions. */
  async remove(changes: FolderChanges, name: string, version?: number): Promise<void> {
    await changes.remove(version === undefined ? checkName(name) : `${checkName(name)}/${version}`);
  }
}

/** The names whose versions or activations are among the changed files. */
export const namesIn = (paths: readonly string[]): string[] =>
  [...new Set(paths.map((path) => path.split("/")[0]))].filter(isName);

/** The version that a changed file belongs to, if any. */
export const versionIn = (path: string): number | undefined => {
  const version = Number(path.split("/")[1]);
  return Number.isInteger(version) ? version : undefined;
};

/**
 * Checks that a version's folder holds that version, whole.
 * @throws AppError `storage_corrupt`, naming a file that is missing or changed, or the folder's
 *   `version.json` when it was moved here from another place.
 */
export async function verifyVersion(folder: string, name: string, version: number): Promise<void> {
  const verified = await verifyChecksums(folder);
  const path = join(folder, labelFile);
  if (!existsSync(path)) throw damaged(path, "it is missing");
  // It is the last line: without it others may be missing too
  if (!verified.includes(labelFile)) throw damaged(join(folder, checksumsFile), "it is cut short");
  const label = (await readRegularFile(path, maxLabelBytes)).toString("utf8");
  if (label === JSON.stringify({ name, version })) return;
  throw damaged(path, `it is that of ${label}: the folder was renamed or swapped with another`);
}

async function readHistory(
  folder: string,
  name: string,
  numbers: readonly number[],
): Promise<Pick<Versions, "history" | "damage">> {
  const path = join(folder, activeFile);
  // It is written before the first version is there.
  if (numbers.length === 0 && !existsSync(path)) return { history: [] };
  try {
    const { name: itsName, history } = await readCheckedJson(path);
    if (itsName !== name) throw damaged(path, `it is that of "${itsName}"`);
    const isHistory =
      Array.isArray(history) && history.every((version) => Number.isInteger(version));
    if (!isHistory) throw damaged(path, '"history" is not a list of versions');
    return { history: history as number[] };
  } catch (error) {
    return { history: [], damage: error instanceof Error ? error.message : String(error) };
  }
}

const isNamed = (entry: Dirent) => entry.isDirectory() && isName(entry.name);
const isName = (name: string) => /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(name);

/** @throws AppError `invalid_input` for a name that cannot be a folder. */
export function checkName(name: string, param = "name"): string {
  if (isName(name)) return name;
  const expected =
    'Expected 1 to 64 letters, digits, ".", "_" or "-", starting with a letter or digit';
  throw new AppError(
    "invalid_input",
    `${expected}, for "${param}" but received "${name.slice(0, 80)}"`,
    { param },
  );
}
