import type { LineStatus } from "../wire/items.js";
import { pathOf } from "./collection.js";
import { readJsonLines } from "./ndjson.js";
import { OutputClosed } from "./output.js";
import { CommandError, type Target } from "./target.js";

export interface SendItemsOptions {
  /** When it aborts no further piece is sent; the statuses of those sent still come. */
  signal: AbortSignal;
  /**
   * A source that is silent for so long gets a request of its own for what comes next: servers cut
   * idle ones.
   */
  idleMs?: number;
}

/**
 * Streams items as NDJSON to a collection, as fast as they can be stored.
 * @param lines  pieces that end with a line.
 */
export async function* sendItems(
  target: Target,
  collection: string,
  lines: AsyncIterable<Uint8Array>,
  { signal, idleMs = 20_000 }: SendItemsOptions,
): AsyncGenerator<LineStatus> {
  const pieces = new Pieces(lines, signal);
  try {
    while (await pieces.hasMore()) {
      const init = {
        method: "POST",
        headers: { "content-type": "application/x-ndjson" },
        body: pieces.body(idleMs) as RequestInit["body"],
        duplex: "half",
      };
      const linesBefore = pieces.linesSent;
      const response = await target.send(`${pathOf(collection)}/items`, init as RequestInit);
      for await (const status of readJsonLines<LineStatus>(response)) {
        if (status.status === "stored") yield status;
        // A failure of no line is one of the whole stream: what comes after it was not stored.
        else if (status.line === undefined)
          throw new CommandError(status.error.message, status.error);
        else yield { ...status, line: linesBefore + status.line };
      }
      if (!pieces.bodyEnded)
        throw new CommandError("The server answered before it had read all items");
    }
  } catch (error) {
    if (pieces.failure !== undefined) throw pieces.failure.error;
    if (error instanceof CommandError || error instanceof OutputClosed) throw error;
    throw new CommandError(
      `The connection broke off (${(error as Error).message}); what was told as stored is safe`,
    );
  } finally {
    pieces.release();
  }
}

/** A source of pieces that can be sent in several requests, and stopped while it is waited for. */
class Pieces {
  /** What the source threw; fetch would tell of it in its own words. */
  failure: { error: unknown } | undefined;
  /** In all bodies so far. */
  linesSent = 0;
  /** Whether the last body was sent to its end. */
  bodyEnded = false;
  readonly #source: AsyncIterator<Uint8Array>;
  readonly #signal: AbortSignal;
  #next: Promise<IteratorResult<Uint8Array>> | undefined;

  constructor(source: AsyncIterable<Uint8Array>, signal: AbortSignal) {
    this.#source = source[Symbol.asyncIterator]();
    this.#signal = signal;
  }

  /** Waits for the next piece; false at the end, or when the signal aborts. */
  async hasMore(): Promise<boolean> {
    return (await this.#wait()) === "ready" && !(await this.#peek()).done;
  }

  /** A body of the pieces up to the end, or to a pause of `idleMs`. */
  body(idleMs: number): ReadableStream<Uint8Array> {
    this.bodyEnded = false;
    return new ReadableStream<Uint8Array>(
      {
        pull: async (controller) => {
          const { done, value } =
            (await this.#wait(idleMs)) === "ready" ? await this.#peek() : ended;
          if (done) {
            this.bodyEnded = true;
            controller.close();
          } else {
            this.#next = undefined;
            for (let at = value.indexOf(newline); at >= 0; at = value.indexOf(newline, at + 1))
              this.linesSent++;
            controller.enqueue(value);
          }
        },
      },
      { highWaterMark: 0 },
    );
  }

  /**
   * Lets the source go. One that waits for standard input ends only with its next piece, which is
   * not waited for.
   */
  release(): void {
    void this.#source.return?.(undefined)?.catch(() => undefined);
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
    let timer: NodeJS.Timeout | undefined;
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

const newline = 10;
const ended = { done: true, value: undefined } as const;
