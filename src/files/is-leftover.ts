import { stat } from "node:fs/promises";

/** Longer than anything here takes to build. */
const oldMs = 3_600_000;

/**
 * Whether something half-built was left by a process that is gone. A command may read a data folder
 * while a server uses it, so recent files may still be under construction.
 */
export async function isLeftover(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined); // finished or removed meanwhile
  return found !== undefined && Date.now() - found.mtimeMs > oldMs;
}
