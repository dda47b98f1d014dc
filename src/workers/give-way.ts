import { readlinkSync } from "node:fs";
import { getPriority, setPriority } from "node:os";
import { basename } from "node:path";

/**
 * Priorities of threads and processes below the thread that answers requests, which must be able to
 * refuse at once: graphs, and below them work that only prepares the next batch or may take hours.
 */
export const niceness = { inference: 5, decoding: 10, training: 10 };

/** The niceness of this thread plus some levels, within the system's range. */
export const raised = (levels: number, from = getPriority()): number => Math.min(19, from + levels);

/**
 * Lowers the priority of the calling thread and of those it starts later. On Linux each thread has
 * its own niceness (setpriority(2)); elsewhere this does nothing.
 */
export function giveWay(levels: number): void {
  try {
    setPriority(Number(basename(readlinkSync("/proc/thread-self"))), raised(levels));
  } catch {
    // Another system, or a sandbox forbids it: requests only wait longer for the processor.
  }
}
