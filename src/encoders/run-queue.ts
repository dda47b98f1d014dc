import type { Priority } from "../priority.js";
import { PriorityTurns } from "../priority-turns.js";

/**
 * Runs of a graph, one at a time, interactive ones first. A run keeps its thread from reading
 * messages: those that arrived meanwhile are read before the next run is chosen.
 */
export class RunQueue {
  readonly #waiting = new PriorityTurns<() => void>();
  #isBusy = false;

  async run<T>(priority: Priority, work: () => Promise<T>): Promise<T> {
    await new Promise<void>((start) => {
      this.#waiting.add(undefined, start, priority);
      if (!this.#isBusy) this.#startNext();
    });
    try {
      return await work();
    } finally {
      this.#startNext();
    }
  }

  #startNext(): void {
    this.#isBusy = true;
    setImmediate(() => {
      const start = this.#waiting.take();
      if (start === undefined) this.#isBusy = false;
      else start();
    });
  }
}
