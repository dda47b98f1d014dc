import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { runMain } from "./helpers/run-main.js";

it("names a file that cannot be used, without a stack, and ends with 1", async () => {
  const dataDir = mkdtempSync(join(tmpdir(), "crossmodal-cli-"));
  const heads = join(dataDir, "heads");
  writeFileSync(heads, "a file where a folder should be");
  const { code, stderr } = await runMain("heads", "list", "--data-dir", dataDir);
  expect(stderr).toBe(`crossmodal: "${heads}" cannot be used: ENOTDIR: not a directory`);
  expect(code).toBe(1);
});
