import { createHash } from "node:crypto";
import { AppError } from "../errors.js";
import type { StateKind } from "./state-kinds.js";
import type { StatePlace } from "./state-places.js";

export interface CopiedState {
  files: number;
  /** How many of them were not in the target yet, or not the same. */
  written: number;
  pruned: number;
  /** Of all files with their paths: the same in both places. */
  checksum: string;
}

/**
 * Copies the files of a kind: what is the same there already is not written again. At the end the
 * target's files are read and compared.
 * @throws AppError `conflict` where the target has files of its own and `prune` is not set,
 *   `storage_failed` when what was stored is not what was sent.
 */
export async function copyState(
  kind: StateKind,
  { from, to, prune = false }: { from: StatePlace; to: StatePlace; prune?: boolean },
): Promise<CopiedState> {
  const sums = await from.sums(kind);
  const before = await to.sums(kind);
  const others = [...before.keys()].filter((path) => !sums.has(path));
  if (others.length > 0 && !prune) {
    const message =
      `The target has ${others.length} files of ${kind} that the source does not have: ` +
      `"${others[0]}"${others.length > 1 ? ", …" : ""} (--prune deletes them)`;
    throw new AppError("conflict", message, { param: kind });
  }
  const write = new Map<string, Uint8Array>();
  for (const [path, sum] of sums)
    if (before.get(path) !== sum) write.set(path, await from.read(kind, path));
  if (write.size + others.length > 0) await to.change(kind, { write, remove: others });
  const checksum = checksumOf(sums);
  if (checksumOf(await readAll(to, kind)) !== checksum) {
    const message = `The ${kind} in the target are not those of the source; migrate once more`;
    throw new AppError("storage_failed", message);
  }
  return { files: sums.size, written: write.size, pruned: others.length, checksum };
}

/** As they are stored, not as they were noted. */
async function readAll(place: StatePlace, kind: StateKind): Promise<Map<string, string>> {
  const sums = new Map<string, string>();
  for (const path of (await place.sums(kind)).keys())
    sums.set(path, sha256(await place.read(kind, path)));
  return sums;
}

const checksumOf = (sums: ReadonlyMap<string, string>) =>
  sha256(JSON.stringify([...sums].sort(([one], [other]) => (one < other ? -1 : 1)))).slice(0, 16);

const sha256 = (bytes: Uint8Array | string) => createHash("sha256").update(bytes).digest("hex");
