import { existsSync, statfsSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { AppError } from "../errors.js";

/**
 * Refuses what the disk has no room for before any of it is written: a full disk keeps everything
 * else from writing as well. A file with holes takes its whole size when it is copied.
 *
 * @param folder  where it is to be; it need not exist yet.
 * @throws AppError `storage_full`.
 */
export function checkRoom(folder: string, bytes: number): void {
  let existing = resolve(folder);
  while (!existsSync(existing)) existing = dirname(existing);
  const { bavail, bsize } = statfsSync(existing);
  const free = bavail * bsize;
  if (bytes <= free) return;
  const message = `${bytes} bytes are needed in "${folder}", but its disk has ${free} left`;
  throw new AppError("storage_full", message);
}
