import type { Stats } from "node:fs";
import { lstat, readdir, realpath, stat } from "node:fs/promises";
import { basename, dirname, isAbsolute, join, relative, sep } from "node:path";

/** A file that was found, or a path that could not be read. */
export interface FoundFile {
  path: string;
  /**
   * The path relative to the walked folder, with `/` on every system; for a file given directly,
   * its name.
   */
  name: string;
  /** Whether it was given directly, rather than found in a folder. */
  named: boolean;
  /** A folder that was not searched, or a link to something that is found in its own place. */
  skipped?: "folder" | "link";
  /** In bytes. */
  size: number;
  /** Why it cannot be used; then `size` is 0. */
  error?: string;
}

export interface WalkOptions {
  recursive: boolean;
  /** Leaves out links to what the same walk finds in its own place. */
  eachOnce?: boolean;
}

/**
 * The files of a folder in the order of their names, with those of its folders when `recursive`,
 * else the folders themselves; or the one file that `root` is. Hidden and special files are
 * skipped. Links are followed, but not in a loop. Only the names in the folders on the current path
 * are held in memory.
 */
export async function* walkFiles(root: string, options: WalkOptions): AsyncGenerator<FoundFile> {
  const found = await statOrError(root);
  if (found instanceof Error) yield failed(root, basename(root), found);
  else if (found.isDirectory()) {
    const walk = { ...options, realRoot: options.eachOnce ? await realpath(root) : undefined };
    yield* walkFolder(root, "", [found], walk);
  } else if (found.isFile())
    yield { path: root, name: basename(root), named: true, size: found.size };
  else yield failed(root, basename(root), new Error("neither a file nor a folder"));
}

type Walk = WalkOptions & { realRoot?: string };

async function* walkFolder(
  folder: string,
  prefix: string,
  above: readonly Stats[],
  walk: Walk,
): AsyncGenerator<FoundFile> {
  let names: string[];
  try {
    names = await readdir(folder);
  } catch (error) {
    yield failed(folder, prefix, error as Error);
    return;
  }
  for (const entry of names.sort()) {
    if (entry.startsWith(".")) continue;
    const path = join(folder, entry);
    const name = prefix + entry;
    if (entry.includes("\ufffd")) {
      yield failed(path, name, new Error("the name is not UTF-8; rename it"));
      continue;
    }
    const found = await statOrError(path);
    if (found instanceof Error) yield failed(path, name, found);
    else if (await isFoundElsewhere(path, walk))
      yield { path, name, named: false, size: 0, skipped: "link" };
    else if (found.isFile()) yield { path, name, named: false, size: found.size };
    else if (found.isDirectory() && !walk.recursive)
      yield { path, name, named: false, size: 0, skipped: "folder" };
    else if (found.isDirectory()) {
      const isAbove = above.some(({ dev, ino }) => dev === found.dev && ino === found.ino);
      if (!isAbove) yield* walkFolder(path, `${name}/`, [...above, found], walk);
    }
  }
}

/** Whether a path is a link to something that this walk finds anyway. */
async function isFoundElsewhere(path: string, { realRoot, recursive }: Walk): Promise<boolean> {
  if (realRoot === undefined) return false;
  try {
    if (!(await lstat(path)).isSymbolicLink()) return false;
    const target = await realpath(path);
    if (!recursive) return dirname(target) === realRoot && !basename(target).startsWith(".");
    const inside = relative(realRoot, target);
    // Neither the root, nor above or beside it, nor hidden
    return !isAbsolute(inside) && inside.split(sep).every((step) => /^[^.]/.test(step));
  } catch {
    return false; // it has just changed
  }
}

async function statOrError(path: string): Promise<Stats | Error> {
  return stat(path).catch((error: Error) => error);
}

function failed(path: string, name: string, error: Error): FoundFile {
  return { path, name, named: true, size: 0, error: fileError(error) };
}

/** The file system's error in words. */
export function fileError(error: Error): string {
  switch ((error as NodeJS.ErrnoException).code) {
    case "ENOENT":
      return "no such file";
    case "EACCES":
    case "EPERM":
      return "not readable by this user";
    case "EISDIR":
      return "a folder, not a file";
    case "ELOOP":
      return "a link that leads back to itself";
    default:
      return error.message;
  }
}
