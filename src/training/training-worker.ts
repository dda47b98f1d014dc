import { workerData } from "node:worker_threads";
import type { Rows } from "../math/rows.js";
import { giveWay, niceness } from "../workers/give-way.js";
import { serveWorker } from "../workers/serve-worker.js";
import { fitBridge } from "./bridge.js";
import type { BridgeOptions } from "./bridge-options.js";
import { type BridgeMeasurement, measureBridge } from "./bridge-report.js";
import { fitCalibration, type LabelledMaterial } from "./calibration.js";
import { cancellationOf } from "./cancellation.js";
import { type BridgesToCompare, compareBridges } from "./compare-bridges.js";
import { type FewShotTask, fitFewShot } from "./few-shot.js";
import { fewShotAccuracy } from "./few-shot-accuracy.js";
import type { TrainingControl } from "./run-epochs.js";
import { type ScreeningOptions, screenPairs } from "./screening.js";
import { trainHead } from "./train-head.js";
import type { FittedAdapter } from "./train-in-worker.js";
import type { TrainingRequest } from "./training-request.js";

// A thread for one task, which looks at the flag it was given between pieces of its work.

const signal = cancellationOf(workerData);
type Kept = Pick<TrainingControl, "checkpointPath" | "threads">;

giveWay(niceness.training);

serveWorker({
  train: ({ request, control }: { request: TrainingRequest; control: Kept }, report) =>
    trainHead(request, { ...control, signal, onProgress: report }),
  bridge: ({ options, control }: { options: BridgeOptions; control: Kept }, report) =>
    fitBridge(options, { ...control, signal, onProgress: report }),
  measureBridge: (given: BridgeMeasurement) => measureBridge(given, signal),
  fewShot: (task: FewShotTask): FittedAdapter => ({
    adapter: fitFewShot(task, signal),
    heldOut: fewShotAccuracy(task, signal),
  }),
  compareBridges: (given: BridgesToCompare) => compareBridges(given),
  calibrate: (material: LabelledMaterial) => fitCalibration(material, { signal }),
  screen: ({ a, b, options }: { a: Rows; b: Rows; options?: Partial<ScreeningOptions> }) =>
    screenPairs(a, b, options, signal),
});
