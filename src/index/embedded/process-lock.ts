import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { AppError } from "../../errors.js";
import { isBusy, isNoDatabase, openLock } from "./sqlite.js";

/** How often to check whether the other process has finished. */
const lookEveryMs = 200;

/**
 * Makes this the only process that works on something, such as a model that is pulled; a second one
 * waits and then finds the result. As in data-folder-lock.ts the lock is an open SQLite
 * transaction: the operating system releases it however the process ends, so it is never stale. The
 * pid file is for the message.
 *
 * @param path    of the lock; `<path>.pid` is beside it.
 * @param onWait  called once, with the pid of the process waited for; an error it throws ends the
 *   wait.
 * @throws AppError `storage_corrupt` when the lock holds something; the signal's reason.
 */
export async function lockProcesses(
  path: string,
  options: { signal?: AbortSignal; onWait?: (pid: string) => void } = {},
): Promise<() => void> {
  mkdirSync(dirname(path), { recursive: true });
  const lock = openLock(path);
  let hasReported = false;
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
      if (!hasReported) options.onWait?.(pidIn(`${path}.pid`));
      hasReported = true;
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
