import type { Log } from "../log.js";

const pauseMs = 10_000;

/**
 * Tells the log why processes ended that decode, and what they printed last. Whoever sends files
 * can make them end, so it does so once in ten seconds at most and counts what came between.
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
