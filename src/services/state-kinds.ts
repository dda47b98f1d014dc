import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join, relative } from "node:path";

/** Kinds of state besides collections, jobs and kept media: each is a folder of files. */
export const stateKinds = ["heads", "bridges", "calibrations", "label-sets", "keys"] as const;
export type StateKind = (typeof stateKinds)[number];

/** Where a data folder has the files of a kind. */
export const rootOfKind = (dataDir: string, kind: StateKind): string =>
  kind === "keys" ? dataDir : join(dataDir, kind);

/** The files of a kind in a data folder, relative to `rootOfKind`. */
export async function filesOfKind(dataDir: string, kind: StateKind): Promise<string[]> {
  const root = rootOfKind(dataDir, kind);
  if (kind === "keys") return existsSync(join(root, "keys.json")) ? ["keys.json"] : [];
  if (!existsSync(root)) return [];
  const entries = await readdir(root, { withFileTypes: true, recursive: true });
  return entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => relative(root, join(parentPath, name)))
    .filter((path) => !path.startsWith(".building-") && !path.endsWith(".part"));
}
