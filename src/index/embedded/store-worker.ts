import { workerData } from "node:worker_threads";
import { storageError } from "../../files/write-durably.js";
import { serveObject } from "../../workers/serve-worker.js";
import type { CoreOptions } from "./core-types.js";
import { databaseError } from "./sqlite.js";
import { StoreCore } from "./store-core.js";

// The thread of the embedded driver.
serveObject(
  async () => {
    try {
      return withDatabaseErrors(await StoreCore.open(workerData as CoreOptions));
    } catch (error) {
      throw appError(error);
    }
  },
  (core) => core.close(),
);

/** The same object, with file errors of its methods as AppErrors. */
function withDatabaseErrors(core: StoreCore): StoreCore {
  return new Proxy(core, {
    get(target, name) {
      const method = Reflect.get(target, name, target) as unknown;
      if (typeof method !== "function") return method;
      return async (...args: unknown[]) => {
        try {
          return await method.apply(target, args);
        } catch (error) {
          const failure = appError(error);
          target.noteFailure(failure);
          throw failure;
        }
      };
    },
  });
}

/** Errors of SQLite or the file system as AppErrors; others unchanged. */
function appError(error: unknown): unknown {
  const { syscall, path } = (error ?? {}) as NodeJS.ErrnoException;
  if (syscall !== undefined) return storageError(error, path ?? "the data folder");
  return databaseError(error);
}
