import type { Priority } from "./priority.js";
import { Turns } from "./turns.js";

/** How many interactive entries in a row may pass bulk ones, so that bulk is never starved. */
const maxPassed = 3;

/**
 * A queue in which interactive entries go before bulk ones, and callers of one priority take turns.
 * After three in a row that passed bulk entries, a bulk one is next.
 */
export class PriorityTurns<T> {
  readonly #interactive = new Turns<T>();
  readonly #bulk = new Turns<T>();
  #passed = 0;

  /** @param caller  identifies the caller: compared by identity. */
  add(caller: unknown, entry: T, priority: Priority): void {
    (priority === "bulk" ? this.#bulk : this.#interactive).add(caller, entry);
  }

  /** The entry that `take` would return. */
  get first(): T | undefined {
    return this.#next().first;
  }

  take(): T | undefined {
    const next = this.#next();
    this.#passed = next === this.#interactive && this.#bulk.size > 0 ? this.#passed + 1 : 0;
    return next.take();
  }

  /** Removes the entries of a caller for which `isGone` is true. */
  remove(caller: unknown, isGone: (entry: T) => boolean): void {
    this.#interactive.remove(caller, isGone);
    this.#bulk.remove(caller, isGone);
  }

  #next(): Turns<T> {
    if (this.#bulk.size === 0) return this.#interactive;
    if (this.#interactive.size === 0) return this.#bulk;
    return this.#passed >= maxPassed ? this.#bulk : this.#interactive;
  }
}
