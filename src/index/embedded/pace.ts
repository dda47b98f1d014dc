/** How long after a search another one is expected. */
const restMs = 50;
/** Share of time for background work while searches arrive. */
const share = 0.2;
/** A slice of work: the longest wait of a search. */
const sliceMs = 2;

/**
 * Decides when background work may run, so that searches are hardly slowed down: at any time while
 * there are none; otherwise for a fifth of the time, in slices that are short compared with a
 * search.
 */
export class Pace {
  readonly #now: () => number;
  #searching = 0;
  #lastSearch = Number.NEGATIVE_INFINITY;
  /** Time credit for work between searches, filled as time passes. */
  #allowance = 0;
  #filledAt = 0;

  constructor(now = () => performance.now()) {
    this.#now = now;
  }

  /** Runs a search. */
  async during<T>(search: () => Promise<T>): Promise<T> {
    this.#searching++;
    try {
      return await search();
    } finally {
      this.#searching--;
      this.#lastSearch = this.#now();
    }
  }

  /**
   * Works for a slice if it is time.
   * @param work  gets the milliseconds it should take; it may take a little longer.
   * @returns milliseconds after which to call again.
   */
  work(work: (milliseconds: number) => void): number {
    const start = this.#now();
    this.#allowance = Math.min(sliceMs, this.#allowance + share * (start - this.#filledAt));
    this.#filledAt = start;
    const isQuiet = this.#searching === 0 && start - this.#lastSearch > restMs;
    if (!isQuiet && this.#allowance < sliceMs) return (sliceMs - this.#allowance) / share;
    work(sliceMs);
    const took = this.#now() - start;
    this.#allowance = isQuiet ? 0 : this.#allowance - took;
    return isQuiet ? 0 : (sliceMs - this.#allowance) / share;
  }
}
