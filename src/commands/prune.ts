import { lstat, readdir, stat } from "node:fs/promises";
import { dirname, relative, resolve, sep } from "node:path";
import type { FileStatus } from "./add-files.js";
import { idsPerQuestion } from "./file-candidates.js";
import { matchingItems } from "./item-selection.js";
import type { Target } from "./target.js";
import { fileError } from "./walk-files.js";

export interface PruneOptions {
  recursive: boolean;
  idPrefix: string;
  dryRun: boolean;
  /** Nothing more is removed after it aborts. */
  signal: AbortSignal;
  onStatus: (status: FileStatus) => Promise<void>;
}

/**
 * Removes the items whose files are gone from the folders among `roots`: those that this same
 * command would have added, by id and path. Items of a folder that is now empty or unreadable stay,
 * since its disk may not be mounted.
 * @returns sentences on what stays because of that.
 */
export async function pruneGone(
  target: Target,
  collection: string,
  roots: readonly string[],
  { recursive, idPrefix, dryRun, signal, onStatus }: PruneOptions,
): Promise<string[]> {
  const kept = new Map<string, { why: string; count: number }>();
  for (const root of roots.map((path) => resolve(path))) {
    if (!(await isFolder(root))) continue;
    const verdicts = new Map<string, string | undefined>();
    let gone: { id: string; path: string }[] = [];
    const remove = async () => {
      const removed = gone;
      gone = [];
      if (removed.length === 0) return;
      if (!dryRun) await target.deleteItems(collection, { ids: removed.map(({ id }) => id) });
      for (const item of removed) await onStatus({ ...item, status: "removed" });
    };
    const inside = root.endsWith(sep) ? root : root + sep;
    const filter = { item: "source", op: "prefix", value: inside } as const;
    for await (const { id, source: path } of matchingItems(target, collection, filter)) {
      if (signal.aborted) return [];
      const name = relative(root, path!).split(sep).join("/");
      if (id !== idPrefix + name || (!recursive && name.includes("/"))) continue;
      const found = await lstat(path!).catch((error: Error) => error);
      if (!(found instanceof Error)) continue;
      const folder = isNone(found) ? await nearestFolder(path!) : dirname(path!);
      if (!verdicts.has(folder))
        verdicts.set(folder, isNone(found) ? await whyNot(folder) : fileError(found));
      const why = verdicts.get(folder);
      if (why !== undefined) kept.set(folder, { why, count: (kept.get(folder)?.count ?? 0) + 1 });
      else if (gone.push({ id, path: path! }) >= idsPerQuestion) await remove();
    }
    await remove();
  }
  return [...kept].map(([folder, { why, count }]) => {
    const items = count === 1 ? "1 item stays" : `${count} items stay`;
    const how = "crossmodal items delete removes them";
    return `${folder}: ${why}: ${items} whose files are gone (${how})`;
  });
}

const isFolder = (path: string) =>
  stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );

const isNone = (error: Error) =>
  ["ENOENT", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "");

/** The first folder above a path that is still there, a broken link included. */
async function nearestFolder(path: string): Promise<string> {
  const folder = dirname(path);
  const found = await lstat(folder).catch((error: Error) => error);
  const isFolder = !(found instanceof Error) && !found.isFile();
  return isFolder || folder === dirname(folder) ? folder : nearestFolder(folder);
}

/** Why files that are missing from a folder may still exist. */
async function whyNot(folder: string): Promise<string | undefined> {
  try {
    const names = await readdir(folder);
    return names.every((name) => name.startsWith(".")) ? "empty, or not mounted" : undefined;
  } catch (error) {
    return fileError(error as Error);
  }
}
