import { workerData } from "node:worker_threads";
import { giveWay, niceness } from "../workers/give-way.js";
import { serveWorker } from "../workers/serve-worker.js";
import { cancellationOf } from "./cancellation.js";
import { trainingTasks } from "./training-tasks.js";

// A thread for one task, which looks at the flag it was given between pieces of its work.

giveWay(niceness.training);

serveWorker(trainingTasks(cancellationOf(workerData)));
