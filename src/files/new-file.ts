import { type FileHandle, lstat, open, rm } from "node:fs/promises";
import { AppError, invalidInput } from "../errors.js";
import { renameDurably, storageError } from "./write-durably.js";

/**
 * A file being written: it gets its name only once it is complete and on the disk.
 */
export interface NewFile {
  write(chunk: Uint8Array | string): Promise<void>;
  /** Overwrites earlier bytes, e.g. a header. */
  writeAt(chunk: Uint8Array, position: number): Promise<void>;
  /** Its path until `publish`. */
  readonly part: string;
  /** Syncs it, has it checked, and gives it its name. */
  publish(check?: (part: string) => void | Promise<void>): Promise<void>;
  /** Removes what was written, unless it was published. */
  discard(): Promise<void>;
}

/**
 * Starts a file too large for memory (see `writeDurably` for small ones).
 * @throws AppError `already_exists` unless `replace`; `invalid_input` for a link or anything else
 *   that is not a file; `storage_full` and `storage_failed`, also from the methods.
 */
export async function newFile(
  path: string,
  { replace = false }: { replace?: boolean } = {},
): Promise<NewFile> {
  const part = `${path}.${process.pid}.part`;
  const free = async () => {
    const found = await lstat(path).catch(() => undefined);
    if (found !== undefined && !replace) {
      throw new AppError("already_exists", `"${path}" already exists; replace it with --force`, {
        param: path,
      });
    }
    // What a link leads to would stay as it was, and a device or folder is no file to replace
    if (found !== undefined && !found.isFile()) {
      const what = found.isSymbolicLink() ? "a symbolic link" : "not a regular file";
      throw invalidInput(path, `"${path}" is ${what}; name another file`);
    }
  };
  const orStorageError = async <T>(work: Promise<T>) =>
    work.catch((error) => {
      throw error instanceof AppError ? error : storageError(error, path);
    });
  await free();
  // In a folder that others may write to, a link of this name would lead elsewhere
  await orStorageError(rm(part, { force: true }));
  const file: FileHandle = await orStorageError(open(part, "wx"));
  let done = false;
  let size = 0;
  return {
    part,
    async write(chunk) {
      const bytes = typeof chunk === "string" ? Buffer.from(chunk) : chunk;
      await orStorageError(writeAll(file, bytes, size));
      size += bytes.length;
    },
    writeAt: (chunk, position) => orStorageError(writeAll(file, chunk, position)),
    async publish(check) {
      await orStorageError(file.sync());
      await file.close();
      await check?.(part);
      await free();
      await orStorageError(renameDurably(part, path));
      done = true;
    },
    async discard() {
      if (done) return;
      await file.close().catch(() => undefined);
      await rm(part, { force: true });
    },
  };
}

async function writeAll(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, position + done);
    done += bytesWritten;
  }
}
