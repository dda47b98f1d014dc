import { constants } from "node:fs";
import { open } from "node:fs/promises";

/**
 * A small file of a folder that may come from a stranger, whole: opening a FIFO would wait for
 * ever, a device never ends, and what is too large would fill the memory.
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
