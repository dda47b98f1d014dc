import type { EndReason } from "./decoder-ended.js";
import { type ProcessUsage, processUsage } from "./process-usage.js";

/** The limits of one request, beyond which its process is ended. */
export interface DecodingBudget {
  cpuMs: number;
  /** Beyond what the process held before. */
  memoryBytes: number;
}

/**
 * A process that uses no processor time hangs: it gets this many times its budget of wall time.
 */
const hangFactor = 4;

/**
 * Measuring takes half a millisecond, and sixteen processes are watched: one whose requests are
 * younger than `shortMs` is measured every `seldomMs` only. What it took since then counts for the
 * next request that is measured.
 */
const shortMs = 100;
const seldomMs = 300;

/**
 * A decoding process's usage: memory since its start, time for the current request.
 */
export class UsageMeter {
  /** Memory when the process had started, and when it was last seen. */
  #memory = { initial: 0, last: 0 };
  /** The usage and the time when the request was first seen running. */
  #since: { used: ProcessUsage | undefined; at: number } | undefined;
  /**
   * Processor time of the request so far, and when it was last seen to grow: a process that is
   * starved by others does not hang.
   */
  #progress = { cpuMs: 0, at: 0 };
  #spentMs = 0;
  /** When the request before was answered, and when the process was last measured. */
  #answeredAt = 0;
  #measuredAt = 0;

  /** Time of the request so far: processor time, or wall time when the process hangs. */
  get spentMs(): number {
    return this.#spentMs;
  }

  /** Resident memory that the process took since it started, as last seen. */
  get grownBytes(): number {
    return this.#memory.last - this.#memory.initial;
  }

  /** The process is ready for its first request. */
  started(pid: number): void {
    const resident = processUsage(pid)?.residentBytes ?? 0;
    this.#memory = { initial: resident, last: resident };
  }

  /** The request is answered; the next one starts at zero. */
  next(): void {
    this.#since = undefined;
    this.#progress = { cpuMs: 0, at: 0 };
    this.#spentMs = 0;
    this.#answeredAt = performance.now();
  }

  get isDue(): boolean {
    const now = performance.now();
    return now - this.#answeredAt >= shortMs || now - this.#measuredAt >= seldomMs;
  }

  /**
   * Measures the process, which is working on a request.
   * @returns why it must be ended, if it must.
   */
  check(pid: number, budget: DecodingBudget): EndReason | undefined {
    const now = performance.now();
    this.#measuredAt = now;
    const used = processUsage(pid);
    if (this.#since === undefined) {
      // The request has already run for a while: the last measurement is what the process held
      // before.
      const residentBytes = Math.min(used?.residentBytes ?? 0, this.#memory.last);
      this.#since = { used: used && { ...used, residentBytes }, at: now };
    }
    const { used: before, at } = this.#since;
    const cpuMs = used && before ? used.cpuMs - before.cpuMs : now - at;
    const grown = used && before ? used.residentBytes - before.residentBytes : 0;
    if (used !== undefined) this.#memory.last = used.residentBytes;
    if (cpuMs > this.#progress.cpuMs || this.#progress.at === 0)
      this.#progress = { cpuMs, at: now };
    const idleMs = now - this.#progress.at;
    this.#spentMs = Math.max(cpuMs, idleMs / hangFactor);
    if (cpuMs > budget.cpuMs) return "cpu";
    if (grown > budget.memoryBytes) return "memory";
    if (idleMs > hangFactor * budget.cpuMs) return "silent";
    return undefined;
  }
}
