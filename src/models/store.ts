import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { AppError } from "../errors.js";

/** Packs that come with the product. */
export const shippedModels = fileURLToPath(new URL("../../models", import.meta.url));

/** Where packs may lie: those the user pulled or added come before those that are shipped. */
export const modelFolders = (dataDir: string) => [join(dataDir, "models"), shippedModels];

/** @throws AppError `model_not_found` listing what there is. */
export function findManifest(dataDir: string, id: string): string {
  for (const folder of modelFolders(dataDir)) {
    const path = join(folder, id, "manifest.json");
    if (/^[a-z0-9][a-z0-9._-]*$/.test(id) && existsSync(path)) return path;
  }
  const known = installedIds(dataDir).join(", ");
  throw new AppError("model_not_found", `No model "${id}" is installed; there are: ${known}`, { param: "model" });
}

export function installedIds(dataDir: string, folders = modelFolders(dataDir)): string[] {
  const ids = folders.flatMap((folder) =>
    existsSync(folder) ? readdirSync(folder).filter((name) => existsSync(join(folder, name, "manifest.json"))) : [],
  );
  return [...new Set(ids)].sort();
}
