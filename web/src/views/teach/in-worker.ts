import { workerError } from "../../worker-error.js";
import type { LessonTasks } from "./lesson.worker.js";

/** Runs a task in a thread of its own. */
export function inWorker<Name extends keyof LessonTasks>(
  name: Name,
  args: Parameters<LessonTasks[Name]>,
  signal?: AbortSignal,
): Promise<ReturnType<LessonTasks[Name]>> {
  const worker = new Worker(new URL("./lesson.worker.ts", import.meta.url), { type: "module" });
  return new Promise<ReturnType<LessonTasks[Name]>>((resolve, reject) => {
    signal?.addEventListener("abort", () => reject(signal.reason));
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = (event) => reject(workerError(event, "The examples could not be compared."));
    worker.postMessage([name, args]);
  }).finally(() => worker.terminate());
}
