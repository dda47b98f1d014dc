import { giveWay, niceness } from "../workers/give-way.js";
import { serveWorker } from "../workers/serve-worker.js";
import { type GapRequest, measureGap } from "./measure-gap.js";

// A thread for gap reports, one after the other.
giveWay(niceness.training);
serveWorker({ measure: (request: GapRequest, report) => measureGap(request, report) });
