import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { goldenPath } from "./golden.js";

/**
 * A copy of a tiny model's folder with other files; null removes one. A string is written as it is.
 */
export function folderWith(tiny: string, files: Record<string, unknown> = {}): string {
  const folder = join(mkdtempSync(join(tmpdir(), "crossmodal-folder-")), "hub");
  cpSync(goldenPath(tiny), folder, {
    recursive: true,
    filter: (path) => !/\/golden$|_(fp16|q4|quantized)\.onnx$/.test(path),
  });
  for (const [name, value] of Object.entries(files)) {
    rmSync(join(folder, name), { force: true });
    if (value !== null)
      writeFileSync(join(folder, name), typeof value === "string" ? value : JSON.stringify(value));
  }
  return folder;
}

/** A configuration file of a tiny model, with keys added, changed or (undefined) left out. */
export const configWith = (tiny: string, name: string, keys: Record<string, unknown>) => ({
  ...JSON.parse(readFileSync(goldenPath(`${tiny}/${name}`), "utf8")),
  ...keys,
});
