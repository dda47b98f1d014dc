/** Longest wait before a retry. */
const maxDelaySeconds = 30;

/**
 * Milliseconds before the next attempt: at least what the server asked for, plus up to a quarter,
 * so that many clients do not return at once. Undefined when that is too long.
 */
export function delayOf(attempt: number, retryAfterSeconds?: number): number | undefined {
  if (retryAfterSeconds !== undefined && retryAfterSeconds > maxDelaySeconds) return undefined;
  const doubling = 0.25 * 2 ** attempt * (0.5 + Math.random());
  const seconds = Math.min(maxDelaySeconds, retryAfterSeconds ?? doubling);
  return seconds * 1000 * (1 + 0.25 * Math.random());
}

/** @throws the signal's reason. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const stop = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, ms);
    signal?.addEventListener("abort", stop, { once: true });
  });
}
