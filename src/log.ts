import { pino } from "pino";

export type LogLevel = "debug" | "info" | "warn" | "error" | "silent";

/** One JSON line per event on stderr; stdout belongs to results. */
export type Log = Pick<ReturnType<typeof pino>, "debug" | "info" | "warn" | "error">;

export function createLog(level: LogLevel): Log {
  return pino(
    { level, base: null, timestamp: pino.stdTimeFunctions.isoTime },
    pino.destination({ dest: 2, sync: true }),
  );
}
