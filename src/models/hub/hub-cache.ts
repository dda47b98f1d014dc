import { readdir, readFile, readlink, stat } from "node:fs/promises";
import { basename, join, relative } from "node:path";
import type { HubFile, HubListing } from "./list-repo.js";

/**
 * The local cache of huggingface_hub and libraries built on it: `models--owner--name/`
 * with `refs/<revision>` (a commit), `snapshots/<commit>/<path>` (links) and `blobs/<etag>`.
 * Source: huggingface_hub, "Understand caching".
 */
const folderOf = (cacheDir: string, repo: string) =>
  join(cacheDir, `models--${repo.replaceAll("/", "--")}`);

/**
 * Paths where the file may already be, the most certain first. Their bytes must be verified like
 * downloaded ones.
 */
export async function cachedCopies(
  cacheDir: string,
  { repo, commit }: { repo: string; commit: string },
  file: HubFile,
): Promise<string[]> {
  const folder = folderOf(cacheDir, repo);
  const name = file.sha256 ?? file.gitSha1;
  const places = [
    ...(name === undefined ? [] : [join(folder, "blobs", name)]),
    join(folder, "snapshots", commit, file.path),
  ];
  const isPresent = await Promise.all(
    places.map(async (path) => {
      const found = await stat(path).catch(() => undefined);
      return found?.isFile() === true && (file.size === undefined || file.size === found.size);
    }),
  );
  return places.filter((_, i) => isPresent[i]);
}

/**
 * What the cache holds of a repository at a revision; undefined when nothing. Hashes come from the
 * names of the blobs.
 */
export async function listCached(
  cacheDir: string,
  repo: string,
  revision: string,
): Promise<HubListing | undefined> {
  const folder = folderOf(cacheDir, repo);
  const ref = await readFile(join(folder, "refs", ...revision.split("/")), "utf8").catch(
    () => revision,
  );
  const commit = ref.trim();
  const snapshot = join(folder, "snapshots", commit);
  if (!/^[0-9a-f]{7,64}$/.test(commit)) return undefined;
  const entries = await readdir(snapshot, { recursive: true, withFileTypes: true }).catch(() => []);
  const files: HubFile[] = [];
  for (const entry of entries) {
    const path = join(entry.parentPath, entry.name);
    const found = await stat(path).catch(() => undefined);
    if (found?.isFile() !== true) continue;
    const blob = basename(await readlink(path).catch(() => ""));
    files.push({
      path: relative(snapshot, path).replaceAll("\\", "/"),
      size: found.size,
      sha256: /^[0-9a-f]{64}$/.test(blob) ? blob : undefined,
      gitSha1: /^[0-9a-f]{40}$/.test(blob) ? blob : undefined,
    });
  }
  return files.length === 0 ? undefined : { repo, commit, files };
}
