import type { FileHandle } from "node:fs/promises";
import type { StreamGuard } from "./stream-guard.js";

const chunkBytes = 2 ** 18;

/**
 * `length` bytes of a file from `start` on. It is closed before its end is handed on: whoever has
 * read it all finds it closed.
 */
export async function* fileContents(
  handle: FileHandle,
  { start = 0, length }: { start?: number; length: number },
  guard: Pick<StreamGuard, "ending">,
): AsyncGenerator<Uint8Array> {
  try {
    for (let left = length; left > 0; ) {
      guard.ending.throwIfAborted();
      const chunk = new Uint8Array(Math.min(chunkBytes, left));
      const { bytesRead } = await handle.read(chunk, 0, chunk.length, start + length - left);
      if (bytesRead === 0) throw new Error("A file became shorter while it was read");
      left -= bytesRead;
      if (left === 0) await handle.close();
      yield chunk.subarray(0, bytesRead);
    }
  } finally {
    await handle.close().catch(() => undefined);
  }
}
