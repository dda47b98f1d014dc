import { createHash } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { hashFile } from "../../encoders/pack-files.js";
import type { HubFile } from "./list-repo.js";

/**
 * How the file at `path` differs from the announced one; undefined if it matches, as far as the hub
 * tells.
 */
export async function problemWith(
  path: string,
  { size, sha256, gitSha1 }: HubFile,
): Promise<string | undefined> {
  const actualBytes = (await stat(path)).size;
  if (size !== undefined && actualBytes !== size)
    return `expected ${size} bytes but received ${actualBytes > size ? "more" : actualBytes}`;
  if (sha256 !== undefined) {
    const found = await hashFile(path);
    return found === sha256
      ? undefined
      : `expected the sha256 ${sha256} but received bytes with ${found}`;
  }
  if (gitSha1 !== undefined) {
    const found = createHash("sha1")
      .update(`blob ${actualBytes}\0`)
      .update(await readFile(path))
      .digest("hex");
    return found === gitSha1 ? undefined : `expected the content ${gitSha1} but received ${found}`;
  }
  return undefined;
}
