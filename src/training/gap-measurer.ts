import { AppError } from "../errors.js";
import { startWorker, type WorkerHandle } from "../workers/start-worker.js";
import type { GapReport, GapRequest } from "./measure-gap.js";

export interface GapMeasurer {
  /** `measureGap` off the calling thread. The arrays of `request` are moved there: the caller's become empty. */
  measure(request: GapRequest, signal?: AbortSignal): Promise<GapReport>;
  close(): Promise<void>;
}

/** Reports that wait, at most: each may hold 800 MB (two sides of 100,000 x 1,024). */
const mostWaiting = 4;

/** The thread starts with the first report. */
export function gapMeasurer(): GapMeasurer {
  let worker: WorkerHandle | undefined;
  return {
    async measure(request, signal) {
      if (signal?.aborted) throw new AppError("cancelled", "The gap report was cancelled");
      if (worker === undefined || worker.ended !== undefined) {
        worker = startWorker(new URL("./gap-worker.js", import.meta.url));
      }
      if (worker.pending >= mostWaiting) {
        throw new AppError("overloaded", `${mostWaiting} gap reports are waiting already`, {
          retryAfterSeconds: 10,
        });
      }
      const [a, b] = [own(request.a.values), own(request.b.values)];
      const moved = { ...request, a: { ...request.a, values: a }, b: { ...request.b, values: b } };
      return worker.call<GapReport>("measure", moved, {
        transfer: [a.buffer, b.buffer] as ArrayBuffer[],
      });
    },
    close: async () => worker?.close(),
  };
}

/** The array itself, or a copy when it shares its buffer with others. */
const own = (values: Float32Array) =>
  values.byteLength === values.buffer.byteLength ? values : values.slice();
