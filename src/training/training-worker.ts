import { serveWorker } from "../workers/serve-worker.js";
import { type TrainingControl, trainHead } from "./train-head.js";
import type { TrainingRequest } from "./training-request.js";

// A thread for one training run. `cancel` is heard between the turns of the run.

const controller = new AbortController();

serveWorker({
  train: (
    { request, control }: { request: TrainingRequest; control: Pick<TrainingControl, "checkpointPath" | "threads"> },
    report,
  ) => trainHead(request, { ...control, signal: controller.signal, onProgress: report }),
  cancel: () => controller.abort(),
});
