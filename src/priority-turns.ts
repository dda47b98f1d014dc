import type { Priority } from "./priority.js";
import { Turns } from "./turns.js";

/** Entries that somebody waits for which may pass one of bulk: else bulk might never come. */
const maxPassed = 3;

/**
 * A queue in which interactive entries go before those of bulk work, and callers of one priority
 * take turns. After three in a row that passed bulk entries, one of those is next.
 */
export class PriorityTurns<T> {
  readonly #interactive = new Turns<T>();
  readonly #bulk = new Turns<T>();
  #passed = 0;

  /** @param caller  what tells one caller from another: compared by identity. */
  add(caller: unknown, entry: T, priority: Priority): void {
    (priority === "bulk" ? this.#bulk : this.#interactive).add(caller, entry);
  }

  /** The entry that `take` would take. */
  get first(): T | undefined {
    return this.#next().first;
  }

  take(): T | undefined {
    const next = this.#next();
    this.#passed = next === this.#interactive && this.#bulk.size > 0 ? this.#passed + 1 : 0;
    return next.take();
  }

  /** Removes the entries of a caller that `isGone` names. */
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
