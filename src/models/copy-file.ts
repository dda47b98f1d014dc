import { mkdir, open } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import type { PackFile } from "../encoders/manifest.js";
import { verifiedPackFile } from "../encoders/pack-files.js";
import { openModelFile } from "./model-file.js";

/**
 * Copies a file of a model folder: what it is now, and no more of it than its manifest says.
 * @throws AppError `invalid_input`, see `openModelFile`; `model_corrupt` when the copy is not what
 *   was described, since the file was changed meanwhile.
 */
export async function copyModelFile(folder: string, file: PackFile, to: string): Promise<void> {
  const source = await openModelFile(folder, file.path);
  try {
    const path = join(to, file.path);
    await mkdir(dirname(path), { recursive: true });
    const target = await open(path, "wx");
    const limits = { start: 0, end: Math.max(0, file.size - 1), highWaterMark: 1 << 20 };
    await pipeline(source.createReadStream(limits), target.createWriteStream());
    await verifiedPackFile(to, file);
  } finally {
    await source.close();
  }
}
