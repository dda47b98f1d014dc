import { AppError } from "../errors.js";
import { startWorker, type WorkerHandle } from "../workers/start-worker.js";
import type { GapReport, GapRequest } from "./measure-gap.js";

export interface GapMeasurer {
  /**
   * `measureGap` off the calling thread. The arrays of `request` are transferred: the caller's
   * become empty.
   */
  measure(request: GapRequest, signal?: AbortSignal): Promise<GapReport>;
  close(): Promise<void>;
}

/** The thread starts with the first report. Reports are measured one at a time. */
export function gapMeasurer(): GapMeasurer {
  let worker: WorkerHandle | undefined;
  let closed = false;
  let last: Promise<unknown> = Promise.resolve();
  const next = <T>(work: () => Promise<T>): Promise<T> => {
    const done = last.then(work);
    last = done.catch(() => undefined);
    return done;
  };
  return {
    measure: (request, signal) =>
      next(async () => {
        if (closed || signal?.aborted)
          throw new AppError("cancelled", "The gap report was cancelled");
        if (worker === undefined || worker.ended !== undefined) {
          worker = startWorker(new URL("./gap-worker.js", import.meta.url));
        }
        const [a, b] = [unshared(request.a.values), unshared(request.b.values)];
        const moved = {
          ...request,
          a: { ...request.a, values: a },
          b: { ...request.b, values: b },
        };
        return worker.call<GapReport>("measure", moved, {
          transfer: [a.buffer, b.buffer] as ArrayBuffer[],
        });
      }),
    async close() {
      closed = true;
      await worker?.close();
    },
  };
}

/** The array itself, or a copy when it shares its buffer with others. */
const unshared = (values: Float32Array) =>
  values.byteLength === values.buffer.byteLength ? values : values.slice();
