import type { ProjectionHead } from "../encoders/head.js";
import type { Rows } from "../math/rows.js";
import { startWorker } from "../workers/start-worker.js";
import type { BridgeOptions } from "./bridge-options.js";
import type { BridgeMeasurement, measureBridge } from "./bridge-report.js";
import type { FittedCalibration, LabelledMaterial } from "./calibration.js";
import { newFlag, throwIfCancelled } from "./cancellation.js";
import type { BridgeComparison, BridgesToCompare } from "./compare-bridges.js";
import type { CacheAdapter, FewShotTask, LinearProbe } from "./few-shot.js";
import type { HeldOutAccuracy } from "./few-shot-accuracy.js";
import type { TrainingControl, TrainingProgress } from "./run-epochs.js";
import type { ScreeningFinding, ScreeningOptions } from "./screening.js";
import type { TrainingResult } from "./train-head.js";
import type { TrainingRequest } from "./training-request.js";

type Cancellable = { signal?: AbortSignal };
export type WorkerControl = TrainingControl & Cancellable;

/** `trainHead` in a worker thread, so that the calling thread stays free. */
export const trainInWorker = (
  request: TrainingRequest,
  control: WorkerControl = {},
): Promise<TrainingResult> => inWorker("train", { request, control: kept(control) }, control);

/** `fitBridge` in a worker thread. */
export const bridgeInWorker = (
  options: BridgeOptions,
  control: WorkerControl = {},
): Promise<ProjectionHead> => inWorker("bridge", { options, control: kept(control) }, control);

/** `measureBridge` in a worker thread. */
export const measureBridgeInWorker = (
  measurement: BridgeMeasurement,
  control?: Cancellable,
): Promise<ReturnType<typeof measureBridge>> => inWorker("measureBridge", measurement, control);

/** An adapter, and the accuracy of its kind on items it was not made from. */
export interface FittedAdapter {
  adapter: CacheAdapter | LinearProbe;
  heldOut: HeldOutAccuracy | undefined;
}

/** `fitFewShot` and `fewShotAccuracy` in a worker thread. */
export const fewShotInWorker = (task: FewShotTask, control?: Cancellable): Promise<FittedAdapter> =>
  inWorker("fewShot", task, control);
/** `compareBridges` in a worker thread. */
export const compareBridgesInWorker = (
  comparison: BridgesToCompare,
  control?: Cancellable,
): Promise<BridgeComparison> => inWorker("compareBridges", comparison, control);

/** `fitCalibration` in a worker thread. */
export const calibrateInWorker = (
  material: LabelledMaterial,
  control?: Cancellable,
): Promise<FittedCalibration> => inWorker("calibrate", material, control);

/** `screenPairs` in a worker thread. */
export const screenInWorker = (
  a: Rows,
  b: Rows,
  options?: Partial<ScreeningOptions>,
  control?: Cancellable,
): Promise<ScreeningFinding[]> => inWorker("screen", { a, b, options }, control);

/** The part of a control that can be sent to another thread. */
const kept = ({ checkpointPath, threads }: TrainingControl) => ({ checkpointPath, threads });

async function inWorker<T>(
  method: string,
  task: unknown,
  { signal, onProgress }: WorkerControl = {},
): Promise<T> {
  throwIfCancelled(signal);
  const flag = newFlag();
  const worker = startWorker(new URL("./training-worker.js", import.meta.url), flag);
  const cancel = () => void Atomics.store(flag, 0, 1);
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
