import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { AppError } from "../../errors.js";
import { isBusy, isNoDatabase, openLock } from "./sqlite.js";

/** How often the end of another process's work is looked for. */
const lookEveryMs = 200;

/**
 * Makes this the only process that works on something, such as a model that is pulled; a second one
 * waits here and then finds what was made. As in data-folder-lock.ts the lock is an open SQLite
 * transaction: the operating system frees it when its process ends in whatever way, so that none is
 * ever stale. The pid beside it serves the message.
 *
 * @param path    of the lock; `<path>.pid` lies beside it.
 * @param onWait  told once, with the pid of the process that is waited for; what it throws ends the
 *   wait.
 * @throws AppError `storage_corrupt` when the lock holds something; the signal's reason.
 */
export async function lockProcesses(
  path: string,
  options: { signal?: AbortSignal; onWait?: (pid: string) => void } = {},
): Promise<() => void> {
  mkdirSync(dirname(path), { recursive: true });
  const lock = openLock(path);
  let told = false;
  for (;;) {
    try {
      lock.exec("BEGIN EXCLUSIVE");
      writeFileSync(`${path}.pid`, `${process.pid}\n`);
      return () => lock.close();
    } catch (error) {
      if (!isBusy(error)) {
        lock.close();
        throw isNoDatabase(error) ? damagedLock(path, error) : error;
      }
    }
    try {
      if (!told) options.onWait?.(pidIn(`${path}.pid`));
      told = true;
      await wait(lookEveryMs, undefined, { signal: options.signal });
    } catch (error) {
      lock.close();
      throw error;
    }
  }
}

export function damagedLock(path: string, cause: unknown): AppError {
  const message = `The lock "${path}" is damaged: delete it, it holds no data`;
  return new AppError("storage_corrupt", message, { cause });
}

function pidIn(path: string): string {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return "(unknown)";
  }
}
