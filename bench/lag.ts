import { monitorEventLoopDelay } from "node:perf_hooks";

/** Watches how long the main loop is kept from its timers. Its resolution, 1 ms, is taken off. */
export function watchLag(): { stop(): { lagP50Ms: number; lagP99Ms: number; lagMaxMs: number } } {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  return {
    stop() {
      delay.disable();
      const ms = (nanoseconds: number) => Number(Math.max(0, nanoseconds / 1e6 - 1).toFixed(2));
      return {
        lagP50Ms: ms(delay.percentile(50)),
        lagP99Ms: ms(delay.percentile(99)),
        lagMaxMs: ms(delay.max),
      };
    },
  };
}
