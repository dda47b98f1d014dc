import { type DestinationStream, pino } from "pino";
import { PinoPretty } from "pino-pretty";
import { traceFields } from "./tracing/trace-context.js";

export type LogLevel = "debug" | "info" | "warn" | "error" | "silent";

/** On stderr; stdout belongs to results. */
export type Log = Pick<ReturnType<typeof pino>, "debug" | "info" | "warn" | "error">;

/** A line per event: readable on a terminal, JSON elsewhere; with the trace it belongs to. */
export function createLog(level: LogLevel, isTerminal = process.stderr.isTTY === true): Log {
  const destination = isTerminal ? readable() : pino.destination({ dest: 2, sync: true });
  const timestamp = pino.stdTimeFunctions.isoTime;
  return pino({ level, base: null, timestamp, mixin: traceFields }, destination);
}

/** @param destination  a file descriptor or a stream; stderr when left out. */
export function readable(destination: number | NodeJS.WritableStream = 2): DestinationStream {
  return PinoPretty({
    colorize: destination === 2 && process.env.NO_COLOR === undefined,
    destination,
    singleLine: true,
    sync: true,
    translateTime: "SYS:HH:MM:ss",
  });
}
