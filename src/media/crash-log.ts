import type { Log } from "../log.js";

const pauseMs = 10_000;

/**
 * Logs why decoding processes ended, and their last output. Clients can make them end, so it logs
 * once in ten seconds at most and counts the rest.
 */
export function crashLog(log: Log): (cause: Error) => void {
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
