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
  /**
   * A folder that was not searched, a link to something that is found in its own place, or one that
   * leads out of the folder.
   */
  skipped?: "folder" | "link" | "outside";
  /** The folder that it has to be in when it is read, as `openRegular` takes it. */
  within?: readonly string[];
  /** In bytes. */
  size: number;
  /** Why it cannot be used; then `size` is 0. */
  error?: string;
}

export interface WalkOptions {
  recursive: boolean;
  /** Leaves out links to what the same walk finds in its own place. */
  eachOnce?: boolean;
  /** Also links that lead out of the folder: it is trusted. */
  followLinks?: boolean;
}

/** The flag of commands that read folders. */
export const followLinksFlag = [
  "--follow-links",
  "also follow links that lead out of the folders",
] as const;

/** Why a command that leaves nothing out cannot take what was found; undefined where it can. */
export function refusedFile({ error, skipped }: FoundFile): string | undefined {
  if (skipped === "outside") return `a link out of the folder (${whyNotOutside})`;
  return skipped === "link" ? "a link to a folder that was read already" : error;
}

/** Why a link that leads out of a folder was left out. */
export const whyNotOutside = "--follow-links follows them";

/**
 * The files of a folder in the order of their names, with those of its folders when `recursive`,
 * else the folders themselves; or the one file that `root` is. Hidden and special files are
 * skipped. Links within the folder are followed, but not in a loop; links out of it only when
 * `followLinks`, since a folder that someone else made could lead to any file of this user. Only
 * the names in the folders on the current path are held in memory.
 */
export async function* walkFiles(root: string, options: WalkOptions): AsyncGenerator<FoundFile> {
  const found = await statOrError(root);
  if (found instanceof Error) yield failed(root, basename(root), found);
  else if (found.isDirectory()) {
    const realRoot = await realpath(root);
    const within = options.followLinks ? undefined : [realRoot];
    yield* walkFolder(root, "", [found], { ...options, realRoot, within, entered: new Set() });
  } else if (found.isFile())
    yield { path: root, name: basename(root), named: true, size: found.size };
  else yield failed(root, basename(root), new Error("neither a file nor a folder"));
}

type Walk = WalkOptions & {
  realRoot: string;
  within: readonly string[] | undefined;
  /**
   * Folders that were entered by a link: each is once, or links to folders of links would be walked
   * for ever.
   */
  entered: Set<string>;
};

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
    const target = await targetOf(path);
    if (found instanceof Error) yield failed(path, name, found);
    else if (leadsOutside(target, walk))
      yield { path, name, named: false, size: 0, skipped: "outside" };
    else if (isFoundElsewhere(target, walk))
      yield { path, name, named: false, size: 0, skipped: "link" };
    else if (found.isFile())
      yield { path, name, named: false, size: found.size, within: walk.within };
    else if (found.isDirectory() && !walk.recursive)
      yield { path, name, named: false, size: 0, skipped: "folder" };
    else if (found.isDirectory()) {
      if (above.some(({ dev, ino }) => dev === found.dev && ino === found.ino)) continue;
      const folderId = `${found.dev}:${found.ino}`;
      if (target !== undefined && walk.entered.has(folderId)) {
        yield { path, name, named: false, size: 0, skipped: "link" };
        continue;
      }
      if (target !== undefined) walk.entered.add(folderId);
      yield* walkFolder(path, `${name}/`, [...above, found], walk);
    }
  }
}

/** Where a link leads to; undefined for what is none, or has just changed. */
async function targetOf(path: string): Promise<string | undefined> {
  try {
    return (await lstat(path)).isSymbolicLink() ? await realpath(path) : undefined;
  } catch {
    return undefined;
  }
}

function leadsOutside(target: string | undefined, { realRoot, followLinks }: Walk): boolean {
  if (target === undefined || followLinks) return false;
  const [first] = relative(realRoot, target).split(sep);
  return first === ".." || isAbsolute(first);
}

/** Whether a link leads to something that this walk finds anyway. */
function isFoundElsewhere(target: string | undefined, walk: Walk): boolean {
  if (target === undefined || !walk.eachOnce) return false;
  const { realRoot, recursive } = walk;
  if (!recursive) return dirname(target) === realRoot && !basename(target).startsWith(".");
  const inside = relative(realRoot, target);
  // Neither the root, nor above or beside it, nor hidden
  return !isAbsolute(inside) && inside.split(sep).every((step) => /^[^.]/.test(step));
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
