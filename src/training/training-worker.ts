import { workerData } from "node:worker_threads";
import { giveWay, niceness } from "../workers/give-way.js";
import { serveWorker } from "../workers/serve-worker.js";
import { cancellationOf } from "./cancellation.js";
import { trainingTasks } from "./training-tasks.js";

// A thread for one task, which checks its cancellation flag between pieces of work.

giveWay(niceness.training);

serveWorker(trainingTasks(cancellationOf(workerData)));
