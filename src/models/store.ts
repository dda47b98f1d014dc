import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { Manifest } from "../encoders/manifest.js";
import { AppError } from "../errors.js";
import { findBuiltIn, shippedModels } from "./built-in.js";

/** Folders of packs: pulled or added ones come before shipped ones. */
export const modelFolders = (dataDir: string) => [join(dataDir, "models"), shippedModels];

/** Where the files of a pull are until its pack is complete. */
export const pullFolder = (dataDir: string, id: string) =>
  join(modelFolders(dataDir)[0], ".pull", id);

export const isId = (name: string) => Manifest.shape.id.safeParse(name).success;

/**
 * @throws AppError `model_not_found`, saying how to get a known model, else listing the installed
 *   ones.
 */
export function findManifest(dataDir: string, id: string): string {
  for (const folder of modelFolders(dataDir)) {
    const path = join(folder, id, "manifest.json");
    if (isId(id) && existsSync(path)) return path;
  }
  const builtIn = findBuiltIn(id);
  if (builtIn !== undefined) {
    const message =
      `The weights of "${builtIn.id}" are not installed; get them with: crossmodal models pull ` +
      `${builtIn.id}`;
    throw new AppError("model_not_found", message, { param: "model" });
  }
  const installed = installedIds(dataDir).join(", ");
  throw new AppError(
    "model_not_found",
    `No model "${id}" is installed; installed models: ${installed}`,
    {
      param: "model",
    },
  );
}

/**
 * Ids of complete packs: `.<id>.<pid>.<n>` is one being added, or left by a killed process.
 */
export function installedIds(dataDir: string, folders = modelFolders(dataDir)): string[] {
  const isPack = (folder: string, name: string) =>
    isId(name) && existsSync(join(folder, name, "manifest.json"));
  const ids = folders.flatMap((folder) =>
    existsSync(folder) ? readdirSync(folder).filter((name) => isPack(folder, name)) : [],
  );
  return [...new Set(ids)].sort();
}
