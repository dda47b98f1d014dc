import { type FileHandle, open, rm, stat } from "node:fs/promises";
import { AppError } from "../errors.js";
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
 * @throws AppError `already_exists` unless `replace`; `storage_full` and `storage_failed`, also
 *   from the methods.
 */
export async function newFile(
  path: string,
  { replace = false }: { replace?: boolean } = {},
): Promise<NewFile> {
  const part = `${path}.${process.pid}.part`;
  const free = async () => {
    if (!replace && (await stat(path).catch(() => undefined)) !== undefined) {
      throw new AppError("already_exists", `"${path}" already exists; replace it with --force`, {
        param: path,
      });
    }
  };
  const orStorageError = async <T>(work: Promise<T>) =>
    work.catch((error) => {
      throw error instanceof AppError ? error : storageError(error, path);
    });
  await free();
  const file: FileHandle = await orStorageError(open(part, "w"));
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
