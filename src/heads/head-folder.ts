import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { AppError } from "../errors.js";
import { readRegularFile } from "../files/read-regular.js";
import type { Log } from "../log.js";
import { type HeadFiles, headFileNames, readHeadFiles } from "./head-files.js";
import { HeadVersion, type UsableHead } from "./head-version.js";
import { verifyVersion } from "./version-folder.js";

/** A version's description, or why it cannot be read. */
export type Described = HeadVersion | { unusable: string };

/** Which version a folder holds. */
export interface Place {
  folder: string;
  name: string;
  version: number;
  log: Log;
}

/** As for an imported one: see head-files.ts. */
const maxBytes = 16 * 2 ** 20;

export async function readDescription({ folder, name, version, log }: Place): Promise<Described> {
  try {
    await verifyVersion(folder, name, version);
    const text = (await readRegularFile(join(folder, "head.json"), maxBytes)).toString("utf8");
    return HeadVersion.parse(JSON.parse(text));
  } catch (error) {
    log.error({ err: error, head: name, version }, "a head cannot be read");
    const { code, path } = error as NodeJS.ErrnoException;
    const why =
      error instanceof AppError
        ? error.message
        : code === undefined
          ? `the file "${join(folder, "head.json")}" is damaged`
          : `"${path ?? folder}" cannot be read (${code})`;
    return { unusable: `Version ${version} of the head "${name}" cannot be used: ${why}` };
  }
}

/**
 * @throws AppError `model_corrupt` when the weights are damaged or do not match the description.
 */
export async function readWeights(
  described: HeadVersion,
  { folder, name, version, log }: Place,
): Promise<UsableHead> {
  try {
    await verifyVersion(folder, name, version);
    return { ...described, name, version, ...readHeadFiles(described, await readFiles(folder)) };
  } catch (error) {
    log.error({ err: error, head: name, version }, "a head's weights cannot be read");
    const why = error instanceof AppError ? error.message : "one of its files cannot be read";
    const message = `Version ${version} of the head "${name}" cannot be used: ${why}`;
    throw new AppError("model_corrupt", message, { param: "head", cause: error });
  }
}

export async function readFiles(folder: string): Promise<HeadFiles> {
  const files: HeadFiles = {};
  for (const file of headFileNames) {
    try {
      files[file] = await readFile(join(folder, `${file}.safetensors`));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    }
  }
  return files;
}
