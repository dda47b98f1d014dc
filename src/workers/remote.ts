import type { TransferListItem } from "node:worker_threads";
import type { WorkerCallOptions } from "./start-worker.js";

/**
 * The methods of `T` seen from another thread: arguments and results are copied, every answer is
 * a promise.
 */
export type Remote<T> = {
  [M in keyof T as T[M] extends (...args: never) => unknown ? M : never]: T[M] extends (
    ...args: infer A
  ) => infer R
    ? (...args: A) => Promise<Awaited<R>>
    : never;
};

/** A thread started by `startWorker`, or a supervised one. */
export interface Callable {
  call<T>(method: string, args: unknown, options?: WorkerCallOptions): Promise<T>;
}

const moved = new WeakMap<object, readonly TransferListItem[]>();

/**
 * Marks an argument of a `Remote` whose buffers are transferred instead of copied. @returns the
 * argument.
 */
export function moving<T extends object>(argument: T, buffers: readonly TransferListItem[]): T {
  moved.set(argument, buffers);
  return argument;
}

/** The object that a worker thread serves with `serveObject`: each method call goes there. */
export function remoteOf<T extends object>(worker: Callable): Remote<T> {
  const methods = new Map<string, (...args: unknown[]) => Promise<unknown>>();
  return new Proxy({} as Remote<T>, {
    get(_, name) {
      if (typeof name !== "string" || name === "then") return undefined; // not a promise
      let method = methods.get(name);
      if (method === undefined) {
        method = (...args) => {
          const transfer = args.flatMap((arg) => moved.get(arg as object) ?? []);
          return worker.call(name, args, { transfer });
        };
        methods.set(name, method);
      }
      return method;
    },
  });
}
