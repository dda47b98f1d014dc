import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join, relative } from "node:path";
import type { MirroredFolder } from "../index/postgres/state/mirrored-folder.js";
import type { Log } from "../log.js";

/**
 * Brings what a data folder has of a kind into a database that never had any of it: a server that
 * moves to a database goes on with its heads, and asks for the same keys.
 * @param only  names of the files to take; all when left out.
 */
export async function takeOver(
  from: string,
  to: MirroredFolder,
  { only, log }: { only?: readonly string[]; log: Log },
): Promise<void> {
  if (to.epoch > 0 || !existsSync(from)) return;
  const entries = await readdir(from, { withFileTypes: true, recursive: only === undefined });
  const paths = entries
    .filter((entry) => entry.isFile() && (only === undefined || only.includes(entry.name)))
    .map(({ parentPath, name }) => relative(from, join(parentPath, name)))
    .filter((path) => !path.startsWith(".building-"));
  if (await to.takeOver(from, paths))
    log.info({ folder: to.name, files: paths.length }, "taken over into the database");
}
