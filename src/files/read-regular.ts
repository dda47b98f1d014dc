import { constants } from "node:fs";
import { open } from "node:fs/promises";

/**
 * The contents of a small file in an untrusted folder: opening a FIFO would block forever, a device
 * never ends, and a huge file would fill the memory.
 *
 * @throws Error where the file cannot be read, is not a regular file or has more than `maxBytes`.
 */
export async function readRegularFile(path: string, maxBytes: number): Promise<Buffer> {
  // O_NONBLOCK: opening a FIFO does not wait.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stat = await file.stat();
    if (!stat.isFile()) throw new Error("it is not a regular file");
    if (stat.size > maxBytes)
      throw new Error(`it has ${stat.size} bytes; at most ${maxBytes} are read`);
    return await file.readFile();
  } finally {
    await file.close();
  }
}
