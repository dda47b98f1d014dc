import { type FileHandle, stat } from "node:fs/promises";
import { resolve } from "node:path";
import { AppError } from "../errors.js";
import { hashOpenFile as readHash } from "../files/hash-file.js";
import { withRegular } from "../files/open-regular.js";
import type { PackFile } from "./manifest.js";

/**
 * Hashes of files seen by this process, by file, size and time of change: a file of two packs is
 * read once, also after a rename.
 */
const seen = new Map<string, Promise<string>>();

/** sha256 of a regular file, read as a stream. */
export const hashFile = (path: string): Promise<string> => withRegular(path, hashOpenFile);

/** The same of an open file, which stays open. */
export async function hashOpenFile(file: FileHandle): Promise<string> {
  const { dev, ino, size, mtimeNs } = await file.stat({ bigint: true });
  const key = `${dev}:${ino}:${size}:${mtimeNs}`;
  let hash = seen.get(key);
  if (hash === undefined) {
    hash = readHash(file);
    hash.catch(() => seen.delete(key));
    seen.set(key, hash);
  }
  return hash;
}

/**
 * The absolute path of a pack's file, after checking that its bytes are the ones in the manifest.
 *
 * @param folder  the folder of the manifest.
 * @throws AppError `model_corrupt` when the file is missing, or differs in size or hash.
 */
export async function verifiedPackFile(folder: string, file: PackFile): Promise<string> {
  const path = resolve(folder, file.path);
  const found = await stat(path).catch((error) => {
    throw new AppError("model_corrupt", `The model file "${path}" is missing`, { cause: error });
  });
  if (!found.isFile()) throw new AppError("model_corrupt", `"${path}" is not a regular file`);
  const { size } = found;
  if (size !== file.size) {
    throw new AppError(
      "model_corrupt",
      `"${path}" has ${size} bytes but its manifest says ${file.size}`,
    );
  }
  const hash = await hashFile(path);
  if (hash !== file.sha256) {
    const message = `"${path}" was changed: its sha256 is ${hash}, expected ${file.sha256}`;
    throw new AppError("model_corrupt", message);
  }
  return path;
}
