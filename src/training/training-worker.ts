import { serveWorker } from "../workers/serve-worker.js";
import { type BridgeOptions, fitBridge } from "./bridge.js";
import { type BridgeMeasurement, measureBridge } from "./bridge-report.js";
import { type FewShotTask, fitFewShot } from "./few-shot.js";
import { type ScreeningOptions, screenPairs } from "./screening.js";
import { type TrainingControl, trainHead } from "./train-head.js";
import type { Rows, TrainingRequest } from "./training-request.js";

// A thread for one task. `cancel` is heard between the turns of a training run.

const controller = new AbortController();
type Kept = Pick<TrainingControl, "checkpointPath" | "threads">;

serveWorker({
  train: ({ request, control }: { request: TrainingRequest; control: Kept }, report) =>
    trainHead(request, { ...control, signal: controller.signal, onProgress: report }),
  bridge: ({ options, control }: { options: BridgeOptions; control: Kept }, report) =>
    fitBridge(options, { ...control, signal: controller.signal, onProgress: report }),
  measureBridge: (given: BridgeMeasurement) => measureBridge(given),
  fewShot: (task: FewShotTask) => fitFewShot(task),
  screen: ({ a, b, options }: { a: Rows; b: Rows; options?: Partial<ScreeningOptions> }) => screenPairs(a, b, options),
  cancel: () => controller.abort(),
});
