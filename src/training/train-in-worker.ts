import type { ProjectionHead } from "../encoders/head.js";
import { AppError } from "../errors.js";
import { startWorker } from "../workers/start-worker.js";
import type { BridgeOptions } from "./bridge.js";
import type { BridgeMeasurement, measureBridge } from "./bridge-report.js";
import type { CacheAdapter, FewShotTask, LinearProbe } from "./few-shot.js";
import type { ScreeningFinding, ScreeningOptions } from "./screening.js";
import type { TrainingControl, TrainingProgress, TrainingResult } from "./train-head.js";
import type { Rows, TrainingRequest } from "./training-request.js";

/** `trainHead` in a worker thread of its own, so that the calling thread stays free. */
export const trainInWorker = (request: TrainingRequest, control: TrainingControl = {}): Promise<TrainingResult> =>
  inWorker("train", { request, control: kept(control) }, control);

/** `fitBridge` in a worker thread of its own. */
export const bridgeInWorker = (options: BridgeOptions, control: TrainingControl = {}): Promise<ProjectionHead> =>
  inWorker("bridge", { options, control: kept(control) }, control);

/** `measureBridge` in a worker thread of its own. */
export const measureBridgeInWorker = (given: BridgeMeasurement): Promise<ReturnType<typeof measureBridge>> =>
  inWorker("measureBridge", given);

/** `fitFewShot` in a worker thread of its own. */
export const fewShotInWorker = (task: FewShotTask): Promise<CacheAdapter | LinearProbe> => inWorker("fewShot", task);

/** `screenPairs` in a worker thread of its own. */
export const screenInWorker = (a: Rows, b: Rows, options?: Partial<ScreeningOptions>): Promise<ScreeningFinding[]> =>
  inWorker("screen", { a, b, options });

/** The part of a control that can be sent to another thread. */
const kept = ({ checkpointPath, threads }: TrainingControl) => ({ checkpointPath, threads });

async function inWorker<T>(method: string, task: unknown, { signal, onProgress }: TrainingControl = {}): Promise<T> {
  if (signal?.aborted) throw new AppError("cancelled", "The training run was cancelled");
  const worker = startWorker(new URL("./training-worker.js", import.meta.url));
  const cancel = () => void worker.call("cancel", undefined).catch(() => undefined);
  signal?.addEventListener("abort", cancel, { once: true });
  try {
    return await worker.call<T>(method, task, {
      onProgress: (progress) => onProgress?.(progress as TrainingProgress),
    });
  } finally {
    signal?.removeEventListener("abort", cancel);
    await worker.close();
  }
}
