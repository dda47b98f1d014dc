import { randomBytes } from "node:crypto";
import { rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { AppError } from "../errors.js";
import { renameDurably, storageError, syncFolder, writeDurably } from "./write-durably.js";

/** How a `StateFolder` is changed. Paths are relative to it, with "/" between their parts. */
export interface FolderChanges {
  /** Writes a file, completely or not at all. @param mode  its permissions on this machine */
  write(path: string, bytes: Uint8Array | string, options?: { mode?: number }): Promise<void>;
  /**
   * Adds a folder, with all its files or not at all.
   * @returns false when there is one of that name already.
   */
  addFolder(path: string, files: Record<string, Uint8Array | string>): Promise<boolean>;
  /** Removes a file, or a folder with everything in it. */
  remove(path: string): Promise<void>;
}

/**
 * A folder with one kind of state: heads, label sets, keys. Its files are read from `path` and
 * changed only through `change`, so that several servers may share them (see
 * index/postgres/state/mirrored-folder.ts).
 */
export interface StateFolder {
  readonly path: string;
  /** False while a shared folder has not been read since the start. */
  readonly isLoaded: boolean;
  /** Called with the paths of changed files, of other servers' changes too. */
  onChange: (paths: readonly string[]) => unknown;
  /** Fetches what other servers changed. @throws AppError `storage_unavailable` */
  refresh(): Promise<void>;
  /**
   * Runs `work`. In a shared folder it sees every earlier change and is the only one that changes
   * the folder; its changes are made together at the end, or not at all, and it may run again.
   * In a local folder each change is made at once.
   */
  change<T>(work: (changes: FolderChanges) => Promise<T>): Promise<T>;
}

/** What `find` finds, if necessary among what another server has just changed. */
export async function orRefreshed<T>(folder: StateFolder, find: () => Promise<T>): Promise<T> {
  try {
    return await find();
  } catch (error) {
    if (!(error instanceof AppError) || !["not_found", "conflict"].includes(error.code))
      throw error;
    await folder.refresh();
    return find();
  }
}

/** A folder of one process, which nobody else changes. */
export function localFolder(path: string): StateFolder {
  const folder: StateFolder = {
    path,
    isLoaded: true,
    onChange: () => {},
    refresh: async () => {},
    async change(work) {
      const changed: string[] = [];
      try {
        return await work(changesOf(path, changed));
      } finally {
        if (changed.length > 0) await folder.onChange(changed);
      }
    },
  };
  return folder;
}

/** @param changed  gets each path as it changes. */
function changesOf(folder: string, changed: string[]): FolderChanges {
  const temporaryPath = () => join(folder, `.building-${randomBytes(6).toString("hex")}`);
  return {
    async write(path, bytes, options) {
      await writeDurably(join(folder, path), bytes, options);
      changed.push(path);
    },
    async addFolder(path, files) {
      const building = temporaryPath();
      try {
        for (const [name, bytes] of Object.entries(files))
          await writeDurably(join(building, name), bytes);
        await renameDurably(building, join(folder, path));
      } catch (error) {
        await rm(building, { recursive: true, force: true }).catch(() => undefined);
        const { code } = error as NodeJS.ErrnoException;
        if (code === "ENOTEMPTY" || code === "EEXIST") return false;
        throw error;
      }
      changed.push(...Object.keys(files).map((name) => `${path}/${name}`));
      return true;
    },
    async remove(path) {
      try {
        // Renamed first: half a folder must never look complete.
        const removedPath = temporaryPath();
        await rename(join(folder, path), removedPath);
        await syncFolder(dirname(join(folder, path)));
        changed.push(path);
        await rm(removedPath, { recursive: true, force: true });
      } catch (error) {
        throw storageError(error, join(folder, path));
      }
    },
  };
}
