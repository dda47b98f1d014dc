import { createRequire } from "node:module";
import { basename } from "node:path";
import { type TransferListItem, Worker } from "node:worker_threads";
import { AppError, type ErrorCode } from "../errors.js";

/** An error passed between threads. */
export interface WorkerError {
  name: string;
  message: string;
  code?: ErrorCode;
  param?: string;
  retryAfterSeconds?: number;
  stack?: string;
}

/** A worker thread's answer to one call (see serve-worker.ts). */
export type WorkerReply =
  | { id: number; value: unknown }
  | {
      id: number;
      error: WorkerError;
    }
  | { id: number; progress: unknown };

export interface WorkerCallOptions {
  /** Buffers to transfer instead of copy. */
  transfer?: readonly TransferListItem[];
  /** Called for each message the method reports before it returns. */
  onProgress?: (progress: unknown) => void;
}

/** Calls methods of a worker thread started with `startWorker`. */
export interface WorkerHandle {
  call<T>(method: string, args: unknown, options?: WorkerCallOptions): Promise<T>;
  /** Calls still waiting for their answer. */
  readonly pending: number;
  /** Why the thread ended, once it has: further calls fail with it. */
  readonly ended: Error | undefined;
  /** Resolves when the thread has ended in any way. */
  readonly exited: Promise<Error>;
  /**
   * Waits for running calls, asks the thread to dispose of its resources and lets it end on its
   * own: a thread terminated while ONNX Runtime runs takes the whole process down (SIGABRT).
   */
  close(): Promise<void>;
  /**
   * Ends the thread at once, in the middle of its JavaScript; only for one that runs no native
   * code.
   */
  terminate(): Promise<void>;
}

/**
 * Starts a worker thread whose file calls `serveWorker`.
 *
 * @param file  URL of the worker's module, written with the ending `.js`. When this code itself
 *   runs from TypeScript (tests, `npm run dev`), the `.ts` file beside it is started through tsx
 *   instead.
 *
 * When the thread ends unexpectedly, running and later calls fail with an AppError `unavailable`;
 * only the later ones, which were not started, say when to try again.
 */
export function startWorker(file: URL, workerData?: unknown): WorkerHandle {
  const worker = newThread(file, workerData);
  /** Its name in messages: `store-worker.js` is the store thread. */
  const name = basename(file.pathname, ".js").replace("-worker", "");
  const waiting = new Map<
    number,
    {
      resolve: (value: never) => void;
      reject: (error: Error) => void;
      onProgress?: (progress: unknown) => void;
    }
  >();
  let nextId = 0;
  let ended: Error | undefined;
  let closing: Promise<void> | undefined;

  // An idle thread does not keep the process alive; a running call does, and so does waiting for
  // its end.
  const rest = () => {
    if (waiting.size === 0 && closing === undefined) worker.unref();
  };
  let onExited = (_: Error) => {};
  const exited = new Promise<Error>((resolve) => {
    onExited = resolve;
  });
  const failAll = (cause: Error) => {
    const message = `The ${name} thread stopped unexpectedly`;
    ended ??= new AppError("unavailable", `${message}; try again`, { cause, retryAfterSeconds: 1 });
    // Whether these were done is unknown: no Retry-After, on which clients retry automatically.
    const lost = new AppError("unavailable", `${message} during the request`, { cause });
    for (const { reject } of waiting.values()) reject(lost);
    waiting.clear();
    worker.unref();
    onExited(ended);
  };
  worker.on("message", (reply: WorkerReply) => {
    const call = waiting.get(reply.id);
    if (call === undefined) return;
    if ("progress" in reply) {
      call.onProgress?.(reply.progress);
      return;
    }
    waiting.delete(reply.id);
    rest();
    if ("error" in reply) call.reject(revive(reply.error));
    else call.resolve(reply.value as never);
  });
  worker.on("error", (error) => failAll(error instanceof Error ? error : new Error(String(error))));
  worker.on("exit", (code) => failAll(new Error(`The thread ended with exit code ${code}`)));
  rest();

  const call = <T>(method: string, args: unknown, options: WorkerCallOptions = {}): Promise<T> => {
    if (ended !== undefined) return Promise.reject(ended);
    const id = nextId++;
    return new Promise<T>((resolve, reject) => {
      waiting.set(id, { resolve, reject, onProgress: options.onProgress });
      worker.ref();
      try {
        worker.postMessage({ id, method, args }, options.transfer ?? []);
      } catch (error) {
        waiting.delete(id); // an argument that cannot be cloned
        rest();
        reject(error instanceof Error ? error : new Error(String(error)));
      }
    });
  };

  return {
    call,
    get pending() {
      return waiting.size;
    },
    get ended() {
      return ended;
    },
    exited,
    async terminate() {
      await worker.terminate();
    },
    close() {
      closing ??=
        ended !== undefined
          ? Promise.resolve()
          : new Promise<void>((resolve) => {
              worker.once("exit", () => resolve());
              call("close", undefined).catch(() => undefined);
            });
      return closing;
    },
  };
}

function newThread(file: URL, workerData: unknown): Worker {
  const resourceLimits = { stackSizeMb: stackMb() };
  if (!import.meta.url.endsWith(".ts")) return new Worker(file, { workerData, resourceLimits });
  // The CommonJS build that `require.resolve` finds cannot register itself; the ES module is beside
  // it.
  const tsx = createRequire(import.meta.url)
    .resolve("tsx/esm/api")
    .replace(/\.cjs$/, ".mjs");
  const source = file.href.replace(/\.js$/, ".ts");
  return new Worker(
    `import(${JSON.stringify(tsx)}).then((tsx) => (tsx.register(), ` +
      `import(${JSON.stringify(source)})))`,
    {
      eval: true,
      workerData,
      resourceLimits,
    },
  );
}

/**
 * ONNX Runtime 1.30 takes the command line apart by a regular expression that recurses for every
 * byte of it, on the stack of the thread that opens the first session: `classify *.jpg` with 2,000
 * names overflowed the default 4 MiB. 1,000,000 bytes needed less than 420 MiB; untouched pages
 * take no memory.
 */
function stackMb(): number {
  const bytes = [...process.execArgv, ...process.argv].reduce(
    (sum, part) => sum + Buffer.byteLength(part) + 1,
    0,
  );
  return 4 + Math.ceil(bytes / 2048);
}

function revive(error: WorkerError): Error {
  if (error.code !== undefined && error.name === "AppError") {
    const { param, retryAfterSeconds } = error;
    return new AppError(error.code, error.message, { param, retryAfterSeconds });
  }
  const revived =
    error.name === "RangeError" ? new RangeError(error.message) : new Error(error.message);
  if (error.stack !== undefined) revived.stack = error.stack;
  return revived;
}
