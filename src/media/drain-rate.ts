/** Work that ended this long ago counts 1/e of current work. */
const memoryMs = 10_000;
/** With no data, and when almost nothing ends. */
const bounds = { first: 1, last: 60 };

/** The measured rate of completed work: a sum with exponential decay. */
export class DrainRate {
  readonly #now: () => number;
  readonly #begin: number;
  #sum = 0;
  #at: number;

  constructor(now: () => number) {
    this.#now = now;
    this.#begin = this.#at = now();
  }

  /** Records units of work that have just ended. */
  add(units: number): void {
    this.#sum = this.#remembered() + units;
    this.#at = this.#now();
  }

  /** Whole seconds, 1 to 60, until this many more units have ended. */
  secondsUntil(units: number): number {
    const elapsed = this.#now() - this.#begin;
    // The weight of the past, lower while the clock has run for less than its memory.
    const weightMs = memoryMs * (1 - Math.exp(-elapsed / memoryMs));
    const perSecond = (1000 * this.#remembered()) / Math.max(1, weightMs);
    if (perSecond === 0) return bounds.first;
    return Math.min(bounds.last, Math.max(bounds.first, Math.ceil(units / perSecond)));
  }

  #remembered(): number {
    return this.#sum * Math.exp((this.#at - this.#now()) / memoryMs);
  }
}
