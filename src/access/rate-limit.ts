/** A caller whose bucket has been full for this long is forgotten. */
const forgetAfterMs = 60_000;
/** Above this many callers, idle ones are forgotten from time to time. */
const sweepAbove = 10_000;
const sweepEveryMs = 5000;
/** Beyond this many addresses, the oldest are forgotten. */
const maxCallers = 100_000;

interface Bucket {
  tokens: number;
  at: number;
}

/**
 * Requests a minute by caller: a bucket of a minute's requests that fills steadily, so that a burst
 * is served and the average holds.
 */
export class RateLimit {
  readonly #buckets = new Map<string, Bucket>();
  readonly #now: () => number;
  #sweptAt = Number.NEGATIVE_INFINITY;

  /** @param now  milliseconds; a parameter so that tests control the time. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /**
   * Takes one request of a caller.
   * @returns seconds until the next one is allowed; 0 when this one was.
   */
  take(caller: string, perMinute: number): number {
    const now = this.#now();
    const bucket = this.#buckets.get(caller) ?? { tokens: perMinute, at: now };
    const perMs = perMinute / 60_000;
    bucket.tokens = Math.min(perMinute, bucket.tokens + (now - bucket.at) * perMs);
    bucket.at = now;
    this.#buckets.set(caller, bucket);
    if (this.#buckets.size > sweepAbove && now - this.#sweptAt > sweepEveryMs) this.#sweep(now);
    const [first] = this.#buckets.keys();
    if (this.#buckets.size > maxCallers) this.#buckets.delete(first);
    if (bucket.tokens < 1) return (1 - bucket.tokens) / perMs / 1000;
    bucket.tokens--;
    return 0;
  }

  #sweep(now: number): void {
    this.#sweptAt = now;
    for (const [caller, { at }] of this.#buckets)
      if (now - at > forgetAfterMs) this.#buckets.delete(caller);
  }
}
