import { parentPort, type TransferListItem } from "node:worker_threads";
import { AppError } from "../errors.js";
import type { WorkerReply } from "./start-worker.js";

/** A method's answer with its buffers to transfer instead of copy. */
export class Transferred<T> {
  readonly value: T;
  readonly buffers: readonly TransferListItem[];
  constructor(value: T, buffers: readonly TransferListItem[]) {
    this.value = value;
    this.buffers = buffers;
  }
}

export type WorkerMethod = (args: never, report: (progress: unknown) => void) => unknown;

/**
 * The worker's side of `remoteOf`: its call of `open` makes the object, every other call goes to
 * the method of that name.
 *
 * @param dispose  called once after the last call, before the thread ends.
 */
export function serveObject<T extends object>(
  open: () => Promise<T>,
  dispose: (object: T) => Promise<void> | void,
): void {
  let object: T | undefined;
  const run = async (method: string, args: unknown) => {
    if (method === "open") {
      object = await open();
      return;
    }
    const found = object?.[method as keyof T];
    if (typeof found !== "function") throw new TypeError(`This worker has no method "${method}"`);
    return found.apply(object, args) as unknown;
  };
  serve(run, () => object && dispose(object));
}

/**
 * The worker's side of `startWorker`: answers each call with the result of the method of that name.
 * Calls are started in order of arrival; an async method does not delay the next one.
 *
 * @param dispose  called once after the last call, before the thread ends.
 */
export function serveWorker(
  methods: Record<string, WorkerMethod>,
  dispose?: () => Promise<void> | void,
): void {
  serve((method, args, report) => {
    const run = methods[method];
    if (run === undefined) throw new TypeError(`This worker has no method "${method}"`);
    return run(args as never, report);
  }, dispose);
}

function serve(
  run: (method: string, args: unknown, report: (progress: unknown) => void) => unknown,
  dispose?: () => Promise<void> | void,
): void {
  const port = parentPort;
  if (port === null) throw new TypeError("serveWorker must be called inside a worker thread");
  const underWay = new Set<Promise<void>>();
  const send = (reply: WorkerReply, buffers: readonly TransferListItem[] = []) =>
    port.postMessage(reply, buffers);

  port.on("message", (message: { id: number; method: string; args: unknown }) => {
    const { id, method, args } = message;
    if (method === "close") {
      void Promise.allSettled(underWay).then(async () => {
        await dispose?.();
        send({ id, value: undefined });
        port.close();
      });
      return;
    }
    const work = (async () => {
      try {
        const result = await run(method, args, (progress) => send({ id, progress }));
        if (result instanceof Transferred) send({ id, value: result.value }, result.buffers);
        else send({ id, value: result });
      } catch (error) {
        send({ id, error: describe(error) });
      }
    })();
    underWay.add(work);
    void work.finally(() => underWay.delete(work));
  });
}

function describe(error: unknown) {
  if (error instanceof AppError) {
    const { message, code, param, retryAfterSeconds } = error;
    return { name: "AppError", message, code, param, retryAfterSeconds };
  }
  if (error instanceof Error)
    return { name: error.name, message: error.message, stack: error.stack };
  return { name: "Error", message: String(error) };
}
