import { createHash } from "node:crypto";
import type { FileHandle } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { withRegular } from "./open-regular.js";

/** sha256 of a regular file in hexadecimal, read as a stream. */
export const hashFile = (path: string): Promise<string> => withRegular(path, hashOpenFile);

/** The same of an open file, from its beginning; it stays open. */
export async function hashOpenFile(file: FileHandle): Promise<string> {
  const hash = createHash("sha256");
  const stream = file.createReadStream({ start: 0, highWaterMark: 1 << 20, autoClose: false });
  await pipeline(stream, hash);
  return hash.digest("hex");
}
