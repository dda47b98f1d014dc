import { serveObject } from "../../../workers/serve-worker.js";
import { CopyCore } from "./copy-core.js";

// The thread that scans: what answers requests must not wait for it.
serveObject(
  async () => new CopyCore(),
  () => undefined,
);
