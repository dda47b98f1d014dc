import pino from "pino";
import type { Log } from "../log.js";

/**
 * Where changes are recorded: an append-only file, or the log.
 * @throws Error of the file system when the file cannot be opened.
 */
export function auditLog(file: string, log: Log): Log {
  if (file === "") return log;
  const base = { base: undefined, timestamp: pino.stdTimeFunctions.isoTime };
  return pino(base, pino.destination({ dest: file, append: true, mkdir: true, sync: true }));
}
