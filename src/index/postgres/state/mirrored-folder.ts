import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rename, rm, rmdir, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { hashFile } from "../../../files/hash-file.js";
import type { FolderChanges, StateFolder } from "../../../files/state-folder.js";
import { storageError } from "../../../files/write-durably.js";
import type { Connection, Connections } from "../connections.js";
import {
  filesIn,
  folderEpochs,
  lockFolder,
  readFileRows,
  removeFileRows,
  writeFileRows,
} from "./file-rows.js";

interface MirroredFolderOptions {
  connections: Connections;
  /** Its name in the database. */
  name: string;
  /** Of the copy. */
  path: string;
  /** Resolves when the tables are there. */
  ready: () => Promise<void>;
}

/** A folder whose files are in the database; reads use a copy of them on this machine. */
export class MirroredFolder implements StateFolder {
  readonly path: string;
  readonly name: string;
  onChange: StateFolder["onChange"] = () => {};
  readonly #connections: Connections;
  readonly #ready: () => Promise<void>;
  /** The sha256 of each file of the copy. */
  #copied: Map<string, string> | undefined;
  #epoch = -1;
  #isLoaded = false;
  #last: Promise<unknown> = Promise.resolve();

  constructor({ connections, name, path, ready }: MirroredFolderOptions) {
    this.name = name;
    this.path = path;
    this.#connections = connections;
    this.#ready = ready;
  }

  get isLoaded(): boolean {
    return this.#isLoaded;
  }

  /** Of the last change that the copy has. */
  get epoch(): number {
    return this.#epoch;
  }

  async refresh(): Promise<void> {
    await this.#ready();
    await this.load();
  }

  /** As `refresh`, where the tables are known to be there. */
  load(): Promise<void> {
    return this.#inTurn(() => this.#connections.read((db) => this.#take(db)));
  }

  async change<T>(work: (changes: FolderChanges) => Promise<T>): Promise<T> {
    await this.#ready();
    return this.#change(({ changes }) => work(changes));
  }

  /**
   * Stores the files of a folder, when the database has never had any of this kind. The tables are
   * known to be there.
   * @param paths  of the files, in `from`.
   * @returns whether they were stored.
   */
  async takeOver(from: string, paths: readonly string[]): Promise<boolean> {
    if (this.#epoch > 0 || paths.length === 0) return false;
    return this.#change(async ({ changes, epoch }) => {
      if (epoch > 1) return false; // another server was faster; epoch 1 is this change
      for (const path of paths) await changes.write(path, await readFile(join(from, path)));
      return true;
    });
  }

  /** @param work  gets the epoch that the folder has once this change is stored. */
  #change<T>(work: (change: { changes: FolderChanges; epoch: number }) => Promise<T>): Promise<T> {
    return this.#inTurn(async () => {
      const result = await this.#connections.write(async (db) => {
        await lockFolder(db, this.name);
        const epoch = await this.#pull(db);
        return work({ changes: changesOf(db, this.name), epoch });
      });
      // It is stored. If the database goes away now, the copy follows later.
      await this.#connections.read((db) => this.#take(db)).catch(() => undefined);
      return result;
    });
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work);
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  async #take(db: Connection): Promise<void> {
    this.#epoch = await this.#pull(db);
    this.#isLoaded = true;
  }

  /**
   * Database -> copy. New files are complete before removed ones are deleted.
   * @returns the epoch that the transaction sees. Of one that changes the folder it only holds once
   *   that is stored: if it is not, the next change by another server has the same.
   */
  async #pull(db: Connection): Promise<number> {
    const epoch = (await folderEpochs(db)).get(this.name) ?? 0;
    const files = await filesIn(db, this.name);
    this.#copied ??= await sumsIn(this.path);
    const copied = this.#copied;
    const changed = [...files.keys()].filter((path) => copied.get(path) !== files.get(path));
    const gone = [...copied.keys()].filter((path) => !files.has(path));
    const folders = new Set(changed.map(dirname));
    // Folders first: a file such as active.json names what is in them.
    for (const folder of [...folders].sort((one, other) => depth(other) - depth(one))) {
      const paths = changed.filter((path) => dirname(path) === folder);
      await this.#fetch(db, folder, paths);
      for (const path of paths) copied.set(path, files.get(path) as string);
    }
    for (const path of gone) {
      await rm(join(this.path, path), { force: true });
      await removeEmpty(this.path, dirname(path));
      copied.delete(path);
    }
    if (changed.length + gone.length > 0) await this.onChange([...changed, ...gone]);
    return epoch;
  }

  /** A folder that is new appears with all its files at once. */
  async #fetch(db: Connection, folder: string, paths: readonly string[]): Promise<void> {
    const target = join(this.path, folder);
    const isNew = folder !== "." && !existsSync(target);
    const into = isNew ? join(this.path, `.building-${randomBytes(6).toString("hex")}`) : target;
    for (const path of paths) {
      const bytes = await readFileRows(db, { folder: this.name, path });
      await replaceFile(join(into, basename(path)), bytes);
    }
    if (!isNew) return;
    try {
      await mkdir(dirname(target), { recursive: true });
      await rename(into, target);
    } catch (error) {
      throw storageError(error, target);
    }
  }
}

/**
 * For readers the whole file is replaced at once. Not synced: what a power cut leaves is compared
 * with the database before it is used.
 */
async function replaceFile(path: string, bytes: Uint8Array): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(`${path}.part`, bytes, { mode: 0o600 });
    await rename(`${path}.part`, path);
  } catch (error) {
    throw storageError(error, path);
  }
}

const depth = (path: string) => (path === "." ? 0 : path.split("/").length);

/** The changes are rows of the transaction. */
function changesOf(db: Connection, folder: string): FolderChanges {
  const write = (path: string, bytes: Uint8Array | string) =>
    writeFileRows(db, { folder, path }, Buffer.from(bytes));
  return {
    write,
    async addFolder(path, files) {
      const { rows } = await db.query(
        "select from crossmodal.files where folder = $1 and starts_with(path, $2 || '/') limit 1",
        [folder, path],
      );
      if (rows.length > 0) return false;
      for (const [name, bytes] of Object.entries(files)) await write(`${path}/${name}`, bytes);
      return true;
    },
    remove: (path) => removeFileRows(db, { folder, path }),
  };
}

/** The sha256 of each file that an earlier process left. */
async function sumsIn(root: string): Promise<Map<string, string>> {
  const sums = new Map<string, string>();
  if (!existsSync(root)) return sums;
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  for (const entry of entries) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    sums.set(path.slice(root.length + 1), await hashFile(path));
  }
  return sums;
}

async function removeEmpty(root: string, folder: string): Promise<void> {
  for (let at = folder; at !== "."; at = dirname(at)) {
    try {
      await rmdir(join(root, at));
    } catch {
      return; // it has other files
    }
  }
}
