import { realpath, stat } from "node:fs/promises";
import { relative, resolve, sep } from "node:path";
import { AppError, invalidInput } from "../errors.js";
import { openRegular } from "../files/open-regular.js";
import { readUpTo } from "../files/read-regular.js";
import { sniffModality } from "./sniff.js";

export interface LocalFile {
  modality: "image" | "audio";
  bytes: Buffer;
  /** Its path in the allowed folder, with `/`. */
  name: string;
  /** Absolute, without links. */
  path: string;
}

/** Pictures and sounds in the folders that the operator allows, and in no others. */
export class LocalFiles {
  /** Absolute, without links. */
  readonly folders: readonly string[];
  readonly #maxBytes: number;

  private constructor(folders: readonly string[], maxBytes: number) {
    this.folders = folders;
    this.#maxBytes = maxBytes;
  }

  /** @throws AppError `invalid_input` when it is not a folder. */
  static async open(folders: readonly string[], maxBytes: number): Promise<LocalFiles> {
    const real = folders.map(async (folder) => {
      const path = await realpath(folder).catch(() => undefined);
      if (path !== undefined && (await stat(path)).isDirectory()) return path;
      throw invalidInput(undefined, `Expected a folder to allow but received "${folder}"`);
    });
    return new LocalFiles(await Promise.all(real), maxBytes);
  }

  /**
   * @param path  absolute, or relative to an allowed folder.
   * @param maxBytes  a larger file is `too_large`.
   * @throws AppError `not_found`, the same one for files outside and missing files: a caller must
   *   not learn what else is on this machine.
   */
  async read(path: string, maxBytes = this.#maxBytes): Promise<LocalFile> {
    for (const folder of this.folders) {
      const file = await this.#readWithin(folder, resolve(folder, path), maxBytes);
      if (file !== undefined) return file;
    }
    const where = this.folders.join(", ");
    const message = `There is no file "${path.slice(0, 200)}" in ${where}`;
    throw new AppError("not_found", message);
  }

  async #readWithin(
    folder: string,
    path: string,
    maxBytes: number,
  ): Promise<LocalFile | undefined> {
    const real = await realpath(path).catch(() => undefined);
    if (real === undefined) return undefined;
    const handle = await openRegular(real, { within: [folder] }).catch(() => undefined);
    if (handle === undefined) return undefined;
    try {
      const { size } = await handle.stat();
      if (size > maxBytes) {
        const message = `"${path}" has ${size} bytes; at most ${maxBytes} are read (maxBodyBytes)`;
        throw new AppError("too_large", message);
      }
      const bytes = await readUpTo(handle, size);
      const modality = sniffModality(bytes);
      if (modality === undefined) {
        throw new AppError("unsupported_media", `"${path}" is neither a picture nor a sound`);
      }
      const name = relative(folder, real).split(sep).join("/");
      return { modality, bytes, name, path: real };
    } finally {
      await handle.close();
    }
  }
}
