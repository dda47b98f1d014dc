/** The latest results by key, computed once for concurrent callers; failures are dropped. */
export class Recent<V> {
  readonly #max: number;
  readonly #maxAgeMs: number;
  /** Least recently used first. */
  readonly #entries = new Map<string, { computed: Promise<V>; until: number }>();

  /** @param maxAgeMs  after which a result is computed again. */
  constructor(max: number, { maxAgeMs = Number.POSITIVE_INFINITY } = {}) {
    this.#max = max;
    this.#maxAgeMs = maxAgeMs;
  }

  get(key: string, make: () => Promise<V>): Promise<V> {
    let entry = this.#entries.get(key);
    if (entry === undefined || entry.until < performance.now()) {
      const computed = make();
      entry = { computed, until: performance.now() + this.#maxAgeMs };
      computed.catch(() => {
        if (this.#entries.get(key)?.computed === computed) this.#entries.delete(key);
      });
    }
    this.#entries.delete(key); // and in again as the newest
    this.#entries.set(key, entry);
    const [oldest] = this.#entries.keys();
    if (this.#entries.size > this.#max) this.#entries.delete(oldest);
    return entry.computed;
  }

  forget(matches: (key: string) => boolean): void {
    for (const key of this.#entries.keys()) if (matches(key)) this.#entries.delete(key);
  }
}
