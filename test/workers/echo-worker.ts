import { AppError } from "../../src/errors.js";
import { serveWorker, Transferred } from "../../src/workers/serve-worker.js";

serveWorker({
  echo: (value: unknown) => value,
  async slow(ms: number, report: (progress: unknown) => void) {
    report("started");
    await new Promise((resolve) => setTimeout(resolve, ms));
    return "done";
  },
  fill: (length: number) => {
    const array = new Float32Array(length).fill(1);
    return new Transferred(array, [array.buffer]);
  },
  refuse: () => {
    throw new AppError("invalid_input", "Expected a number", { param: "n" });
  },
  crash: () => {
    setImmediate(() => {
      throw new Error("the thread is gone");
    });
    return new Promise(() => {});
  },
});
