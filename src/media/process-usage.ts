import { readFileSync } from "node:fs";

/**
 * Linux counts processor time for programs in hundredths of a second. Source: proc_pid_stat(5),
 * sysconf(3).
 */
const tickMs = 10;

export interface ProcessUsage {
  /** Processor time so far. */
  cpuMs: number;
  residentBytes: number;
}

/**
 * Resources used by a process and its children, read from outside, so that it works for one that
 * hangs.
 * @returns undefined where there is no /proc, and for a process that has ended.
 */
export function processUsage(pid: number): ProcessUsage | undefined {
  try {
    // The name, in parentheses, may contain spaces; the fields after it are numbered from 3.
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
    const status = readFileSync(`/proc/${pid}/status`, "latin1");
    const usage = {
      cpuMs: ticks * tickMs,
      residentBytes: 1024 * Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0),
    };
    for (const child of childrenOf(pid)) {
      const more = processUsage(child);
      if (more === undefined) continue;
      usage.cpuMs += more.cpuMs;
      usage.residentBytes += more.residentBytes;
    }
    return usage;
  } catch {
    return undefined;
  }
}

function childrenOf(pid: number): number[] {
  try {
    const list = readFileSync(`/proc/${pid}/task/${pid}/children`, "latin1");
    return list.split(" ").filter(Boolean).map(Number);
  } catch {
    return []; // without this file in the kernel, a child counts once it has ended
  }
}
