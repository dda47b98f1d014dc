import { setMaxListeners } from "node:events";
import { AppError } from "../errors.js";

/**
 * Watches over a request whose body or answer is a stream. It may take hours, but the client must
 * make progress: send when the server waits for it, or read. The clock stops while the server
 * itself is working.
 */
export class StreamGuard {
  readonly #ending = new AbortController();
  readonly #gone = new AbortController();
  readonly #idleMs: number;
  readonly #release: () => void;
  #timer: NodeJS.Timeout | undefined;
  #atWork = 0;

  constructor({
    client,
    stopping,
    idleMs,
  }: { client: AbortSignal; stopping: AbortSignal; idleMs: number }) {
    this.#idleMs = idleMs;
    setMaxListeners(0, this.#gone.signal, this.#ending.signal); // every running item listens
    const onStopping = () => this.#ending.abort(stopping.reason);
    const onGone = () => this.giveUp(new AppError("cancelled", "The client closed the connection"));
    stopping.addEventListener("abort", onStopping, { once: true });
    client.addEventListener("abort", onGone, { once: true });
    this.#release = () => {
      stopping.removeEventListener("abort", onStopping);
      client.removeEventListener("abort", onGone);
    };
    if (stopping.aborted) onStopping();
    if (client.aborted) onGone();
    this.moved();
  }

  /**
   * Aborts when no more should be read: the server stops, or the client was idle for too long.
   * Items already read are finished.
   */
  get ending(): AbortSignal {
    return this.#ending.signal;
  }

  /** Aborts when nobody waits for the answer any longer. */
  get gone(): AbortSignal {
    return this.#gone.signal;
  }

  /** The client has sent or read something. */
  moved(): void {
    clearTimeout(this.#timer);
    if (this.gone.aborted) return;
    this.#timer = setTimeout(() => this.#idle(), this.#idleMs);
    this.#timer.unref();
  }

  /** The server's own work on the stream. */
  async during<T>(work: Promise<T>): Promise<T> {
    this.#atWork++;
    try {
      return await work;
    } finally {
      this.#atWork--;
      this.moved();
    }
  }

  giveUp(reason: AppError): void {
    this.end();
    this.#ending.abort(reason);
    this.#gone.abort(reason);
  }

  /** To be called when the stream has ended in any way. */
  end(): void {
    clearTimeout(this.#timer);
    this.#release();
  }

  #idle(): void {
    if (this.#atWork > 0) {
      this.moved();
      return;
    }
    const reason = new AppError(
      "timeout",
      `The client neither sent nor read anything for ${this.#idleMs} ms`,
    );
    // First the status of the last items is sent; a client that does not read that either is
    // dropped.
    if (this.ending.aborted) this.giveUp(reason);
    else {
      this.#ending.abort(reason);
      this.moved();
    }
  }
}
