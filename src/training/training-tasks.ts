import type { Rows } from "../math/rows.js";
import { fitBridge } from "./bridge.js";
import type { BridgeOptions } from "./bridge-options.js";
import { type BridgeMeasurement, measureBridge } from "./bridge-report.js";
import { fitCalibration, type LabelledMaterial } from "./calibration.js";
import type { cancellationOf } from "./cancellation.js";
import { type BridgesToCompare, compareBridges } from "./compare-bridges.js";
import { type FewShotTask, fitFewShot } from "./few-shot.js";
import { fewShotAccuracy } from "./few-shot-accuracy.js";
import type { TrainingControl } from "./run-epochs.js";
import { type ScreeningOptions, screenPairs } from "./screening.js";
import { trainHead } from "./train-head.js";
import type { FittedAdapter } from "./train-in-worker.js";
import type { TrainingRequest } from "./training-request.js";

type Kept = Pick<TrainingControl, "checkpointPath" | "threads">;
type Report = NonNullable<TrainingControl["onProgress"]>;

/** The tasks of a training thread, by the names used in train-in-worker.ts. */
export const trainingTasks = (signal: ReturnType<typeof cancellationOf>) => ({
  train: ({ request, control }: { request: TrainingRequest; control: Kept }, report: Report) =>
    trainHead(request, { ...control, signal, onProgress: report }),
  bridge: ({ options, control }: { options: BridgeOptions; control: Kept }, report: Report) =>
    fitBridge(options, { ...control, signal, onProgress: report }),
  measureBridge: (measurement: BridgeMeasurement) => measureBridge(measurement, signal),
  fewShot: (task: FewShotTask): FittedAdapter => ({
    adapter: fitFewShot(task, signal),
    heldOut: fewShotAccuracy(task, signal),
  }),
  compareBridges: (comparison: BridgesToCompare) => compareBridges(comparison),
  calibrate: (material: LabelledMaterial) => fitCalibration(material, { signal }),
  screen: ({ a, b, options }: { a: Rows; b: Rows; options?: Partial<ScreeningOptions> }) =>
    screenPairs(a, b, options, signal),
});
