import { serveWorker } from "../workers/serve-worker.js";
import { type ScreeningOptions, screenPairs } from "./screening.js";
import { type TrainingControl, trainHead } from "./train-head.js";
import type { Rows, TrainingRequest } from "./training-request.js";

// A thread for one training run or one screening. `cancel` is heard between the turns of the run.

const controller = new AbortController();

serveWorker({
  train: (
    { request, control }: { request: TrainingRequest; control: Pick<TrainingControl, "checkpointPath" | "threads"> },
    report,
  ) => trainHead(request, { ...control, signal: controller.signal, onProgress: report }),
  screen: ({ a, b, options }: { a: Rows; b: Rows; options?: Partial<ScreeningOptions> }) => screenPairs(a, b, options),
  cancel: () => controller.abort(),
});
