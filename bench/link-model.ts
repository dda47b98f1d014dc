import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { inspectFolder } from "../src/models/inspect-folder.js";

/**
 * Installs a folder in the hub's layout as a pack whose files are links: nothing is copied, and
 * nothing is written to the folder.
 * @returns its id: the folder's name.
 */
export async function linkModel(folder: string, dataDir: string): Promise<string> {
  const id = basename(resolve(folder)).toLowerCase();
  const manifest = await inspectFolder(folder, { id, source: "bench" });
  const target = join(dataDir, "models", id);
  mkdirSync(join(target, "onnx"), { recursive: true });
  for (const name of readdirSync(folder))
    if (name.endsWith(".json")) symlinkSync(resolve(folder, name), join(target, name));
  for (const name of readdirSync(join(folder, "onnx")))
    symlinkSync(resolve(folder, "onnx", name), join(target, "onnx", name));
  writeFileSync(join(target, "manifest.json"), JSON.stringify(manifest));
  return id;
}
