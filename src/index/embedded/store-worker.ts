import { workerData } from "node:worker_threads";
import { serveObject } from "../../workers/serve-worker.js";
import type { CoreOptions } from "./core-types.js";
import { StoreCore } from "./store-core.js";

// The thread of the embedded driver.
serveObject(
  () => StoreCore.open(workerData as CoreOptions),
  (core) => core.close(),
);
