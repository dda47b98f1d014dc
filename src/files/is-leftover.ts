import { stat } from "node:fs/promises";

/** Longer than anything here takes to be built. */
const oldMs = 3_600_000;

/**
 * Whether something half-built was left by a process that is gone. A command may look into a data
 * folder while a server uses it, so what is young may be being built just now.
 */
export async function isLeftover(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined); // finished or removed meanwhile
  return found !== undefined && Date.now() - found.mtimeMs > oldMs;
}
