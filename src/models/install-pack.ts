import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { type Manifest, modalities } from "../encoders/manifest.js";
import { writeDurably } from "../files/write-durably.js";
import { filesOf } from "./add.js";

/**
 * Turns a folder of verified files on the same disk into a pack, or adds them to an existing one.
 * Whenever the process ends, the pack is either old or new: a new one appears by a rename, a
 * changed one with its manifest.
 *
 * @param source     holds the manifest's files; removed afterwards.
 * @param installed  the manifest of the existing pack, of the same revision.
 * @returns the manifest as written.
 */
export async function installPack(
  source: string,
  pack: string,
  manifest: Manifest,
  installed: Manifest | undefined,
): Promise<Manifest> {
  const merged = installed === undefined ? manifest : withGraphs(installed, manifest);
  const json = `${JSON.stringify(merged, null, 2)}\n`;
  const paths = filesOf(manifest).map(({ path }) => path);
  if (installed === undefined) {
    await removeOthers(source, paths);
    await writeDurably(join(source, "manifest.json"), json);
    await rename(source, pack);
    return merged;
  }
  for (const path of paths) {
    await mkdir(dirname(join(pack, path)), { recursive: true });
    await rename(join(source, path), join(pack, path));
  }
  await writeDurably(join(pack, "manifest.json"), json);
  await rm(source, { recursive: true });
  return merged;
}

/** Configuration files, and leftovers of an earlier pull of other data types. */
async function removeOthers(folder: string, paths: readonly string[]): Promise<void> {
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile() && !paths.includes(relative(folder, path).replaceAll("\\", "/")))
      await rm(path);
  }
}

function withGraphs(installed: Manifest, more: Manifest): Manifest {
  const merged = structuredClone(installed);
  for (const modality of modalities) {
    const [tower, other] = [merged.towers[modality], more.towers[modality]];
    if (tower !== undefined && other !== undefined)
      tower.files = { ...tower.files, ...other.files };
  }
  return merged;
}
