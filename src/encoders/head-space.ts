import { createHash } from "node:crypto";

/**
 * The space that embeddings live in once heads of `baseSpace` were applied: `BASE+head-1a2b3c4d`.
 * @param files  the files of the heads of both sides, in order; an absent side is an empty array.
 */
export function headSpace(baseSpace: string, files: readonly Uint8Array[]): string {
  const hash = createHash("sha256");
  for (const bytes of files) hash.update(`${bytes.length}:`).update(bytes);
  return `${baseSpace}+head-${hash.digest("hex").slice(0, 8)}`;
}
