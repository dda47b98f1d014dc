/**
 * Why a process ended: on its own, over its budget, silent for too long, or because it is not
 * needed.
 */
export type EndReason = "not started" | "crashed" | "cpu" | "memory" | "silent" | "not needed";

/** Rejects a request whose process ended. */
export class DecoderEnded extends Error {
  readonly reason: EndReason;
  /** Whether it ended during the request; otherwise it had ended before. */
  readonly wasRunning: boolean;
  constructor(reason: EndReason, complaint?: string) {
    super(`The decoding process ended (${reason})${complaint ? `: ${complaint}` : ""}`);
    this.reason = reason;
    this.wasRunning = complaint !== undefined;
  }
}
