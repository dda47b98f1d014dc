import { setMaxListeners } from "node:events";
import { AppError } from "../errors.js";

/**
 * Watches over a request whose body or answer is a stream. It may take hours as a whole, but the
 * client has to move: to send when it is waited for, or to read. While the server itself is at work
 * the clock stands still.
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
    setMaxListeners(0, this.#gone.signal, this.#ending.signal); // every item under way listens
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
   * Aborts when no more should be read: the server stops, or the client has not moved for too long.
   * What was read is finished.
   */
  get ending(): AbortSignal {
    return this.#ending.signal;
  }

  /** Aborts when nobody waits for the answer any more. */
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

  /** To be called when the stream has ended in whatever way. */
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
    // First the end of what it sent is told; a client that does not read that either is given up.
    if (this.ending.aborted) this.giveUp(reason);
    else {
      this.#ending.abort(reason);
      this.moved();
    }
  }
}
