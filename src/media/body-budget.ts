import { AppError } from "../errors.js";
import { DrainRate } from "./drain-rate.js";

/**
 * Bytes of requests, which are refused when there is no room, and of streams, which wait for it.
 */
const requestShare = 3 / 4;
const streamShare = 1 / 2;
/** Small bodies may use more, so that a few large ones do not shut them out. */
const smallBody = 2 ** 20;

/** One request's share of the budget. */
export interface BodyShare {
  /**
   * Before the first byte of a body that announces its length. What has not arrived holds nothing:
   * a few clients that send nothing would shut out everybody else.
   * @throws AppError `overloaded` when there would be no room for it now.
   */
  expect(bytes: number): void;
  /** @throws AppError `overloaded` when there is no room for this many more bytes. */
  add(bytes: number): void;
  /** Releases all. */
  release(): void;
}

/** One stream's share. */
export interface StreamShare {
  /** Waits until there is room for this many bytes. @throws the signal's reason when it aborts. */
  take(bytes: number, signal: AbortSignal): Promise<void>;
  give(bytes: number): void;
  /** Releases all. */
  release(): void;
}

/**
 * Bounds the bytes of request bodies held at once: before they are parsed, and while their contents
 * wait for a turn.
 */
export class BodyBudget {
  readonly #maxBytes: number;
  readonly #drain: DrainRate;
  /** Streams that hold bytes, the longest-holding first. */
  readonly #streams = new Map<object, number>();
  #requestBytes = 0;
  #waiting: (() => void)[] = [];

  /** @param now  milliseconds on a monotonic clock. */
  constructor(maxBytes: number, now = () => performance.now()) {
    this.#maxBytes = maxBytes;
    this.#drain = new DrainRate(now);
  }

  /** Held now. */
  get bytes(): number {
    return this.#requestBytes + this.#streamBytes;
  }

  get #streamBytes(): number {
    return [...this.#streams.values()].reduce((sum, bytes) => sum + bytes, 0);
  }

  /** For a request that is refused when it finds no room. */
  request(): BodyShare {
    let heldBytes = 0;
    const expectRoom = (bytes: number) => {
      const share = heldBytes + bytes > smallBody ? requestShare : 1;
      const over = this.#requestBytes + bytes - share * this.#maxBytes;
      if (over > 0 && this.#requestBytes > heldBytes) throw this.#overloaded(over);
    };
    return {
      expect: expectRoom,
      add: (bytes) => {
        expectRoom(bytes);
        heldBytes += bytes;
        this.#requestBytes += bytes;
      },
      release: () => {
        this.#requestBytes -= heldBytes;
        this.#drain.add(heldBytes);
        heldBytes = 0;
      },
    };
  }

  /**
   * For a stream, whose bytes are taken as they arrive and released when processed. One stream may
   * always continue, however large its lines: the longest-holding one.
   */
  stream(): StreamShare {
    const key = {};
    let hasEnded = false;
    const give = (bytes: number) => {
      const left = (this.#streams.get(key) ?? 0) - bytes;
      if (left > 0) this.#streams.set(key, left);
      else this.#streams.delete(key);
      for (const wake of this.#waiting.splice(0)) wake();
    };
    const hasRoom = (bytes: number) => {
      const [first = key] = this.#streams.keys();
      return first === key || this.#streamBytes + bytes <= streamShare * this.#maxBytes;
    };
    return {
      take: async (bytes, signal) => {
        while (!hasEnded && !hasRoom(bytes)) await this.#change(signal);
        if (hasEnded) return;
        this.#streams.set(key, (this.#streams.get(key) ?? 0) + bytes);
      },
      give,
      release: () => {
        hasEnded = true;
        give(Number.POSITIVE_INFINITY);
      },
    };
  }

  /** Resolves when a stream has released bytes. */
  async #change(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    let wake = () => {};
    try {
      await new Promise<void>((resolve) => {
        wake = resolve;
        signal.addEventListener("abort", wake, { once: true });
        this.#waiting.push(wake);
      });
    } finally {
      signal.removeEventListener("abort", wake);
    }
    signal.throwIfAborted();
  }

  #overloaded(over: number): AppError {
    const retryAfterSeconds = this.#drain.secondsUntil(over);
    const MiB = (bytes: number) => Math.ceil(bytes / 2 ** 20);
    const message =
      `The server holds ${MiB(this.#requestBytes)} MiB of request bodies, of at most ` +
      `${MiB(this.#maxBytes)} (four times option maxBodyBytes); try again in ` +
      `${retryAfterSeconds} s`;
    return new AppError("overloaded", message, { retryAfterSeconds });
  }
}
