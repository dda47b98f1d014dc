import type pg from "pg";

/** Returns a connection to the pool, or drops it when its time is up or nobody waits for it. */
export class Clock {
  readonly #db: pg.PoolClient;
  readonly #signal: AbortSignal | undefined;
  #timer: NodeJS.Timeout;
  #isReleased = false;
  hasEnded = false;

  constructor(db: pg.PoolClient, timeoutMs: number, signal: AbortSignal | undefined) {
    this.#db = db;
    this.#signal = signal;
    this.#timer = this.#start(timeoutMs);
    if (signal?.aborted) this.drop();
    else signal?.addEventListener("abort", this.drop, { once: true });
  }

  restart(timeoutMs: number): void {
    clearTimeout(this.#timer);
    this.#timer = this.#start(timeoutMs);
  }

  /** Ends, and leaves the connection to the caller. */
  keep(): void {
    clearTimeout(this.#timer);
    this.#signal?.removeEventListener("abort", this.drop);
  }

  /** Closes the connection; what still waits on it fails. */
  drop = (): void => {
    if (this.#isReleased) return;
    this.#isReleased = true;
    this.#db.release(true);
  };

  end(): void {
    this.keep();
    if (this.#isReleased) return;
    this.#isReleased = true;
    this.#db.release();
  }

  #start(timeoutMs: number): NodeJS.Timeout {
    return setTimeout(() => {
      this.hasEnded = true;
      this.drop();
    }, timeoutMs);
  }
}
