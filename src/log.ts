import { constants, fstatSync, openSync } from "node:fs";
import { type DestinationStream, type Logger, pino } from "pino";
import { prettyFactory } from "pino-pretty";
import { type LinePlace, LineWriter } from "./line-writer.js";
import { traceFields } from "./tracing/trace-context.js";

export type LogLevel = "debug" | "info" | "warn" | "error" | "silent";

/** On stderr; stdout belongs to results. */
export type Log = Pick<ReturnType<typeof pino>, "debug" | "info" | "warn" | "error">;

const stderr: LinePlace = { name: "log", open: openStderr, isGone: () => false };
const stderrLines = new LineWriter(stderr);

/** A line per event: readable on a terminal, JSON elsewhere; with the trace it belongs to. */
export function createLog(level: LogLevel, isTerminal = process.stderr.isTTY === true): Log {
  const destination = isTerminal
    ? readable(stderrLines, process.env.NO_COLOR === undefined)
    : plain(stderrLines);
  const mixin = traceFields;
  const log = pino({ ...lineOptions, level, base: null, mixin }, destination);
  stderrLines.onRecovery = (loss) =>
    loss && log.error(loss, "lines of the log are lost: they could not be written in time");
  return log;
}

/** Waits until the log's lines so far are written, if they can be: see `LineWriter.flush`. */
export const flushLog = (timeoutMs: number) => stderrLines.flush(timeoutMs);

/** Of every line. */
export const lineOptions = { timestamp: pino.stdTimeFunctions.isoTime };

/** The same log without its level, unless that is `silent`: for records, which have no severity. */
export function unfiltered(log: Log): Log {
  const logger = log as Log & Partial<Logger>; // a program may give a log of its own
  return logger.level === "silent" ? log : (logger.child?.({}, { level: "info" }) ?? log);
}

/**
 * Lines of JSON as any program shows them: all but ASCII is escaped, so that no control character
 * or invisible mark of a name or path, which JSON allows in strings, comes to a terminal.
 */
export function plain(destination: DestinationStream): DestinationStream {
  const escaped = (sign: string) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`;
  return { write: (line) => destination.write(line.replace(/[^\x20-\x7e\n]/g, escaped)) };
}

/** Lines for people. What strangers send can neither begin a line nor control the terminal. */
export function readable(destination: DestinationStream, colorize = false): DestinationStream {
  const pretty = prettyFactory({ colorize, singleLine: true, translateTime: "SYS:HH:MM:ss" });
  return { write: (line) => destination.write(pretty(JSON.parse(line, shown))) };
}

/** Control characters and invisible marks; not the line feed, which stands within a stack. */
const unprintable = /(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

function shown(name: string, value: unknown): unknown {
  if (typeof value === "string") return name === "stack" ? printable(value) : inLine(value);
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [inLine(key), one]));
}

const printable = (text: string) => text.replace(unprintable, "\ufffd");
const inLine = (text: string) => printable(text.replaceAll("\n", "\ufffd"));

/**
 * Where stderr is a pipe or a terminal, a description of our own, whose writes fail where the
 * reader is slow instead of waiting: a thread that waits for ever would delay the end of the
 * process. The one that is given is shared with other programs, which expect it to wait.
 */
function openStderr() {
  const given = { descriptor: 2, neverWaits: false };
  try {
    const kind = fstatSync(given.descriptor);
    if (!kind.isFIFO() && !kind.isCharacterDevice()) return given;
    const { O_WRONLY, O_NONBLOCK, O_NOCTTY } = constants;
    const path = `/proc/self/fd/${given.descriptor}`;
    return { descriptor: openSync(path, O_WRONLY | O_NONBLOCK | O_NOCTTY), neverWaits: true };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENXIO") throw error; // nobody reads the pipe
    return given;
  }
}
