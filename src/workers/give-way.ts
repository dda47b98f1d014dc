import { readlinkSync } from "node:fs";
import { getPriority, setPriority } from "node:os";
import { basename } from "node:path";

/**
 * How much threads and processes give way to the thread that answers requests, which is to refuse
 * at once whatever the others compute: graphs, and behind them what only prepares their next batch
 * or may take hours.
 */
export const niceness = { inference: 5, decoding: 10, training: 10 };

/** The niceness of this thread and so many levels more, as the system knows them. */
export const raised = (levels: number, from = getPriority()): number => Math.min(19, from + levels);

/**
 * Lowers the priority of the calling thread, and of those that it starts from now on. On Linux a
 * thread has a niceness of its own (setpriority(2)); elsewhere nothing happens.
 */
export function giveWay(levels: number): void {
  try {
    setPriority(Number(basename(readlinkSync("/proc/thread-self"))), raised(levels));
  } catch {
    // Another system, or a sandbox forbids it: requests wait longer for the processor, no more.
  }
}
