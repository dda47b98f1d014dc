import type { FileHandle } from "node:fs/promises";
import { type OpenRegularOptions, withRegular } from "./open-regular.js";

/**
 * The contents of a file in an untrusted folder, see `openRegular`.
 *
 * @throws Error where the file cannot be read, is not a regular file or has more than `maxBytes`.
 */
export function readRegularFile(
  path: string,
  maxBytes: number,
  options: OpenRegularOptions = {},
): Promise<Buffer> {
  const read = async (file: FileHandle) => {
    const { size } = await file.stat();
    if (size > maxBytes) throw new Error(`it has ${size} bytes; at most ${maxBytes} are read`);
    return readUpTo(file, size);
  };
  return withRegular(path, read, options);
}

/** The first bytes of a file, at most so many: one that grows meanwhile is cut. */
export async function readUpTo(file: FileHandle, size: number): Promise<Buffer> {
  const bytes = Buffer.alloc(size);
  let at = 0;
  while (at < size) {
    const { bytesRead } = await file.read(bytes, at, size - at, at);
    if (bytesRead === 0) break;
    at += bytesRead;
  }
  return bytes.subarray(0, at);
}
