import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { damaged } from "./checked-json.js";
import { writeDurably } from "./write-durably.js";

const sumBytes = 32;

/**
 * Writes a file of a job's own, which nobody else reads: its last 32 bytes are the sha256 of the
 * rest, so that damage is noticed.
 */
export async function writeSealed(path: string, content: Uint8Array | string): Promise<void> {
  const bytes = Buffer.from(content);
  await writeDurably(path, Buffer.concat([bytes, sumOf(bytes)]));
}

/**
 * What `writeSealed` wrote.
 * @throws AppError `storage_corrupt`, naming the file, when it is missing, empty, cut short or
 *   changed.
 */
export async function readSealed(path: string): Promise<Buffer> {
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    const why = error.code === "ENOENT" ? "it is missing" : `it cannot be read: ${error.code}`;
    throw damaged(path, why, error);
  });
  const end = Math.max(0, bytes.length - sumBytes);
  const content = bytes.subarray(0, end);
  if (!sumOf(content).equals(bytes.subarray(end)))
    throw damaged(path, "its contents were changed; start the job again");
  return content;
}

const sumOf = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest();
