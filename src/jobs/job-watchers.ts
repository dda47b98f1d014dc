import { hasEnded, type Job } from "./job.js";

type Listener = (job: Job) => void;

/** Listeners for a job's changes, until it has ended. */
export class JobWatchers {
  readonly #listeners = new Map<string, Set<Listener>>();

  /** @returns a function that unsubscribes. */
  add(id: string, listener: Listener): () => void {
    const listeners = this.#listeners.get(id) ?? new Set();
    this.#listeners.set(id, listeners.add(listener));
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0 && this.#listeners.get(id) === listeners) this.#listeners.delete(id);
    };
  }

  /** Resolves when a job that has not ended does. */
  ended(id: string): Promise<void> {
    return new Promise((resolve) => {
      this.add(id, (job) => {
        if (hasEnded(job)) resolve();
      });
    });
  }

  notify(job: Job): void {
    for (const listener of this.#listeners.get(job.id) ?? []) listener({ ...job });
    if (hasEnded(job)) this.#listeners.delete(job.id);
  }
}
