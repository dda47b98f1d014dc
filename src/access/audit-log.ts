import pino from "pino";
import type { Log } from "../log.js";

/** By their paths: a reload rebuilds the routes, but the file stays open. */
const open = new Map<string, Log>();

/**
 * Where changes are recorded: an append-only file, or the log.
 * @throws Error of the file system when the file cannot be opened.
 */
export function auditLog(file: string, log: Log): Log {
  if (file === "") return log;
  const existing = open.get(file);
  if (existing !== undefined) return existing;
  const base = { base: undefined, timestamp: pino.stdTimeFunctions.isoTime };
  const opened = pino(
    base,
    pino.destination({ dest: file, append: true, mkdir: true, sync: true }),
  );
  open.set(file, opened);
  return opened;
}
