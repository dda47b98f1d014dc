import { setTimeout as wait } from "node:timers/promises";
import { AppError } from "../../errors.js";

/**
 * A temporary failure: a broken connection, a busy hub. Its message says what happened and where.
 */
export class HubTrouble extends Error {
  /** How long the hub asked to wait. */
  readonly retryAfterMs: number | undefined;
  /** Bytes arrived, so the count of tries starts again. */
  readonly progressed: boolean;

  constructor(
    message: string,
    options: { cause?: unknown; retryAfterMs?: number; progressed?: boolean } = {},
  ) {
    super(message, { cause: options.cause });
    this.retryAfterMs = options.retryAfterMs;
    this.progressed = options.progressed ?? false;
  }
}

export interface RetryOptions {
  signal?: AbortSignal;
  /** Failed tries in a row before giving up. */
  tries?: number;
  /** Milliseconds before try number `failed + 1`. */
  backoffMs?: (failed: number) => number;
  /** Called before each wait. */
  onRetry?: (trouble: HubTrouble, waitMs: number) => void;
}

/**
 * 1, 2, 4, 8 … s, at most 30, varied by a quarter so that many clients do not return at once.
 */
const exponential = (failed: number) =>
  Math.min(30_000, 1000 * 2 ** (failed - 1)) * (0.75 + Math.random() / 2);

/** A hub's request for a longer wait than this is reported to the user instead. */
const longestWaitMs = 300_000;

/**
 * Runs `work`, again after a HubTrouble.
 * @throws AppError `hub_failed` with the last trouble after too many; other errors of `work` at
 *   once.
 */
export async function withRetries<T>(
  work: () => Promise<T>,
  options: RetryOptions = {},
): Promise<T> {
  const { signal, tries = 5, backoffMs = exponential, onRetry } = options;
  for (let failed = 0; ; ) {
    signal?.throwIfAborted();
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof HubTrouble)) throw error;
      failed = error.progressed ? 1 : failed + 1;
      const waitMs = Math.max(backoffMs(failed), error.retryAfterMs ?? 0);
      if (failed >= tries || waitMs > longestWaitMs) {
        const advice =
          waitMs > longestWaitMs
            ? `; it asks to wait ${Math.ceil(waitMs / 60_000)} minutes`
            : `; given up after ${failed} tries`;
        throw new AppError("hub_failed", `${error.message}${advice}`, { cause: error });
      }
      onRetry?.(error, waitMs);
      await wait(waitMs, undefined, { signal });
    }
  }
}
