import { workerData } from "node:worker_threads";
import { serveObject } from "../../src/workers/serve-worker.js";

/** Counts; ends its thread when it is told to. */
export class Counter {
  #count = 0;

  add(by: number, twice = false): number {
    this.#count += twice ? 2 * by : by;
    return this.#count;
  }

  async sum(numbers: Float32Array): Promise<number> {
    return numbers.reduce((sum, x) => sum + x, 0);
  }

  exit(code: number): Promise<never> {
    process.exit(code);
  }
}

serveObject(
  async () => {
    if ((workerData as { refuse?: boolean } | null)?.refuse) throw new RangeError("not today");
    return new Counter();
  },
  () => {},
);
