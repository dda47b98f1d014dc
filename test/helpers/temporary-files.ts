import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * Gives the tests of a run a folder of their own for temporary files, and removes it with what they
 * left there: servers that are killed on purpose leave gigabytes.
 */
export default function setUp(): () => void {
  const folder = mkdtempSync(join(tmpdir(), "crossmodal-tests-"));
  process.env.TMPDIR = folder;
  return () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
}
