import { AppError } from "../../errors.js";
import { type Database, transaction } from "./sqlite.js";

interface Write {
  /**
   * Runs inside a transaction. An AppError must be thrown before the first change; it concerns this
   * write only.
   */
  run: () => unknown;
  /** After the commit. */
  committed: (result: unknown) => void;
  failed: (error: unknown) => void;
  /** Whether it frees space, and so may use the reserve on a full disk. */
  freesRoom: boolean;
}

export interface WriteHooks {
  /** After every commit, before it is acknowledged. Must not throw. */
  committed(): void;
  /** After a write failed. */
  failed(error: unknown): void;
  /** After a write found the disk full. @returns whether to try it again. */
  makeRoom(freesRoom: boolean): boolean;
}

/**
 * Group commit: writes that arrive in the same turn share one transaction and so one flush to the
 * disk. When the shared transaction fails, each is tried alone, so that one that is too large does
 * not fail the others.
 */
export class WriteQueue {
  readonly #db: Database;
  readonly #hooks: WriteHooks;
  #waiting: Write[] = [];

  constructor(db: Database, hooks: WriteHooks) {
    this.#db = db;
    this.#hooks = hooks;
  }

  /**
   * @param run  the changes; its result goes to `committed`.
   * @param committed  called in order, right after the commit: what readers see next.
   * @param options.freesRoom  tried again with the reserved space on a full disk.
   * @returns what `committed` returns.
   */
  write<T, R = void>(
    run: () => T,
    committed?: (result: T) => R,
    { freesRoom = false }: { freesRoom?: boolean } = {},
  ): Promise<R> {
    return new Promise<R>((resolve, reject) => {
      if (this.#waiting.length === 0) setImmediate(() => this.flush());
      this.#waiting.push({
        run,
        committed: (result) => resolve(committed?.(result as T) as R),
        failed: reject,
        freesRoom,
      });
    });
  }

  flush(): void {
    const writes = this.#waiting;
    this.#waiting = [];
    if (writes.length === 0) return;
    const failure = this.#commit(writes);
    if (failure === undefined) return;
    for (const write of writes) {
      let alone = writes.length === 1 ? failure : this.#commit([write]);
      if (alone !== undefined && isFull(alone.error) && this.#hooks.makeRoom(write.freesRoom))
        alone = this.#commit([write]);
      if (alone === undefined) continue;
      this.#hooks.failed(alone.error);
      write.failed(alone.error);
    }
  }

  /** @returns the error that rolled everything back, if any. */
  #commit(writes: Write[]): { error: unknown } | undefined {
    let outcomes: { result?: unknown; error?: AppError }[];
    try {
      outcomes = transaction(this.#db, () => writes.map(outcome));
    } catch (error) {
      return { error };
    }
    this.#hooks.committed();
    writes.forEach((write, i) => {
      const { result, error } = outcomes[i];
      if (error === undefined) write.committed(result);
      else write.failed(error);
    });
    return undefined;
  }
}

function outcome({ run }: Write): { result?: unknown; error?: AppError } {
  try {
    return { result: run() };
  } catch (error) {
    if (error instanceof AppError && !error.code.startsWith("storage_")) return { error };
    throw error;
  }
}

function isFull(error: unknown): boolean {
  return error instanceof AppError && error.code === "storage_full";
}
