import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { damaged } from "./checked-json.js";
import { hashFile } from "./hash-file.js";
import { readRegularFile } from "./read-regular.js";

/** In the folder of the files; `sha256sum -c SHA256SUMS` checks them by hand. */
export const checksumsFile = "SHA256SUMS";

const maxBytes = 2 ** 20;

/** The contents of `SHA256SUMS` for these files. */
export function checksumsOf(files: Record<string, Uint8Array | string>): string {
  return Object.entries(files)
    .map(([name, bytes]) => `${createHash("sha256").update(bytes).digest("hex")}  ${name}\n`)
    .join("");
}

/**
 * Checks the files of a folder against its `SHA256SUMS`.
 * @returns the names of these files.
 * @throws AppError `storage_corrupt`, naming the first file that is missing, empty, cut short or
 *   changed.
 */
export async function verifyChecksums(folder: string): Promise<string[]> {
  const list = join(folder, checksumsFile);
  if (!existsSync(list)) throw damaged(list, "it is missing");
  const text = await readRegularFile(list, maxBytes).catch((error: Error) => {
    throw damaged(list, error.message, error);
  });
  const lines = text.toString("utf8").split("\n");
  if (lines.pop() !== "" || lines.length === 0) throw damaged(list, "it is empty or cut short");
  const names: string[] = [];
  for (const line of lines) {
    const [, sum, name] = /^([0-9a-f]{64}) {2}([^/\\]+)$/.exec(line) ?? [];
    if (name === undefined) throw damaged(list, "one of its lines is not a checksum");
    const path = join(folder, name);
    if (!existsSync(path)) throw damaged(path, "it is missing");
    const found = await hashFile(path).catch((error: NodeJS.ErrnoException) => {
      // Without a code it was refused before it was read
      const { code, message } = error;
      throw damaged(path, code === undefined ? message : `it cannot be read: ${code}`, error);
    });
    if (found !== sum) throw damaged(path, `its contents were changed (see ${checksumsFile})`);
    names.push(name);
  }
  return names;
}
