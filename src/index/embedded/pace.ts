/** So long after a search another one is expected. */
const restMs = 50;
/** What background work may take of the time while searches come. */
const share = 0.2;
/** A slice of work: what a search may have to wait for. */
const sliceMs = 2;

/**
 * Says when work in the background may go on, so that searches are hardly slower for it: at any
 * time while nobody searches; while searches come, for a fifth of the time, in slices that are
 * short against a search.
 */
export class Pace {
  readonly #now: () => number;
  #searching = 0;
  #lastSearch = Number.NEGATIVE_INFINITY;
  /** Time that may be worked although searches come, filled as time goes by. */
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
   * @param work  is given the milliseconds it should take; it may take a little longer.
   * @returns milliseconds after which to ask again.
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
