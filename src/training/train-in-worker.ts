import { AppError } from "../errors.js";
import { startWorker } from "../workers/start-worker.js";
import type { ScreeningFinding, ScreeningOptions } from "./screening.js";
import type { TrainingControl, TrainingProgress, TrainingResult } from "./train-head.js";
import type { Rows, TrainingRequest } from "./training-request.js";

/** `trainHead` in a worker thread of its own, so that the calling thread stays free. */
export async function trainInWorker(request: TrainingRequest, control: TrainingControl = {}): Promise<TrainingResult> {
  const { signal, onProgress, checkpointPath, threads } = control;
  if (signal?.aborted) throw new AppError("cancelled", "The training run was cancelled");
  const worker = startWorker(new URL("./training-worker.js", import.meta.url));
  const cancel = () => void worker.call("cancel", undefined).catch(() => undefined);
  signal?.addEventListener("abort", cancel, { once: true });
  try {
    return await worker.call<TrainingResult>(
      "train",
      { request, control: { checkpointPath, threads } },
      { onProgress: (progress) => onProgress?.(progress as TrainingProgress) },
    );
  } finally {
    signal?.removeEventListener("abort", cancel);
    await worker.close();
  }
}

/** `screenPairs` in a worker thread of its own. */
export async function screenInWorker(
  a: Rows,
  b: Rows,
  options?: Partial<ScreeningOptions>,
): Promise<ScreeningFinding[]> {
  const worker = startWorker(new URL("./training-worker.js", import.meta.url));
  try {
    return await worker.call<ScreeningFinding[]>("screen", { a, b, options });
  } finally {
    await worker.close();
  }
}
