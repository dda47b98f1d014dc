import type { Log } from "./log.js";

const pauseMs = 10_000;

/**
 * Logs events that clients can cause as often as they like, such as the end of a decoding process:
 * at most once in ten seconds, counting the rest.
 */
export function sparseWarnings(log: Log): (cause: Pick<Error, "message">) => void {
  let last = Number.NEGATIVE_INFINITY;
  let leftOut = 0;
  return ({ message }) => {
    const now = performance.now();
    if (now - last < pauseMs) {
      leftOut++;
      return;
    }
    log.warn({ ...(leftOut > 0 && { leftOut }) }, message);
    last = now;
    leftOut = 0;
  };
}
