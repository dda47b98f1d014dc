/** A source of pieces that can be sent in several requests, and stopped while waiting for it. */
export class Pieces {
  /** What the source threw; fetch would wrap it in its own error. */
  failure: { error: unknown } | undefined;
  /** In all bodies so far. */
  linesSent = 0;
  /** Whether the last body was sent to its end. */
  bodyEnded = false;
  readonly #source: AsyncIterator<Uint8Array>;
  readonly #signal: AbortSignal;
  #next: Promise<IteratorResult<Uint8Array>> | undefined;
  #turnBegan = performance.now();

  constructor(source: AsyncIterable<Uint8Array>, signal: AbortSignal) {
    this.#source = source[Symbol.asyncIterator]();
    this.#signal = signal;
  }

  /** Waits for the next piece; false at the end, or when the signal aborts. */
  async hasMore(): Promise<boolean> {
    return (await this.#wait()) === "ready" && !(await this.#peek()).done;
  }

  /**
   * A body of the pieces up to the end, to a pause of `idleMs`, or to the piece with which it has
   * `maxBytes`.
   */
  body(idleMs: number, maxBytes = Number.POSITIVE_INFINITY): ReadableStream<Uint8Array> {
    this.bodyEnded = false;
    let bytes = 0;
    return new ReadableStream<Uint8Array>(
      {
        pull: async (controller) => {
          await this.#breathe();
          const isFull = bytes >= maxBytes;
          const { done, value } =
            !isFull && (await this.#wait(idleMs)) === "ready" ? await this.#peek() : ended;
          if (done) {
            this.bodyEnded = true;
            controller.close();
          } else {
            this.#next = undefined;
            for (let at = value.indexOf(newline); at >= 0; at = value.indexOf(newline, at + 1))
              this.linesSent++;
            bytes += value.length;
            controller.enqueue(value);
          }
        },
      },
      { highWaterMark: 0 },
    );
  }

  /**
   * Releases the source. One that reads standard input ends only with its next piece, which is not
   * awaited.
   */
  release(): void {
    void this.#source.return?.(undefined)?.catch(() => undefined);
  }

  /** A source that never waits would otherwise starve the sockets, or the page. */
  async #breathe(): Promise<void> {
    if (performance.now() - this.#turnBegan < maxTurnMs) return;
    await new Promise((resolve) => setTimeout(resolve));
    this.#turnBegan = performance.now();
  }

  #peek(): Promise<IteratorResult<Uint8Array>> {
    this.#next ??= this.#source.next().catch((error) => {
      this.failure = { error };
      throw error;
    });
    return this.#next;
  }

  async #wait(idleMs?: number): Promise<"ready" | "idle" | "stopped"> {
    if (this.#signal.aborted) return "stopped";
    let stop = () => {};
    let timer: ReturnType<typeof setTimeout> | undefined;
    const stopped = new Promise<"stopped">((resolve) => {
      stop = () => resolve("stopped");
    });
    const idle = new Promise<"idle">((resolve) => {
      if (idleMs !== undefined) timer = setTimeout(() => resolve("idle"), idleMs);
    });
    this.#signal.addEventListener("abort", stop, { once: true });
    try {
      return await Promise.race([this.#peek().then(() => "ready" as const), stopped, idle]);
    } finally {
      this.#signal.removeEventListener("abort", stop);
      clearTimeout(timer);
    }
  }
}

const maxTurnMs = 20;
const newline = 10;
const ended = { done: true, value: undefined } as const;
