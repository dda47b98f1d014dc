import { AppError } from "../errors.js";
import { currentPriority, isInteractiveExpected, type Priority } from "../priority.js";
import type { SandboxMode } from "../sandbox/support.js";
import { Decoder, type DecoderAnswer } from "./decoder.js";
import { DecoderEnded, type EndReason } from "./decoder-ended.js";
import { PoisonedFiles } from "./poisoned-files.js";
import type { DecoderCall } from "./serve-decoding.js";
import type { DecodingBudget } from "./usage-meter.js";

/** One call for a decoder. */
export interface DecoderJob {
  call: DecoderCall;
  buffers: readonly Uint8Array[];
  /** The file to blame if the process ends. */
  file?: Uint8Array;
  budget: DecodingBudget;
  /** Must run in this process, which holds the media. */
  decoder?: Decoder;
  /** It may take long: such calls leave one process to the others. */
  isLong?: boolean;
  signal?: AbortSignal;
}

export interface DecoderResult {
  answer: DecoderAnswer;
  decoder: Decoder;
}

interface WaitingJob extends DecoderJob {
  priority: Priority;
  resolve(result: DecoderResult): void;
  reject(error: unknown): void;
}

export interface SchedulerOptions {
  processes: number;
  /**
   * Memory above which a process that is free is replaced: its allocator may keep what the last
   * file needed.
   */
  maxRestingBytes: number;
  /** The module of a process. */
  entry: URL;
  sandbox?: SandboxMode;
  /** Called with the reason when a file may have ended a process. */
  onEnded?: (cause: DecoderEnded) => void;
}

/**
 * A process that has spent this long on one call counts as stuck: another may start in its place.
 * Only then is a call ended whose client has gone: starting a process takes longer than most calls.
 */
const stuckMs = 1000;
const recheckMs = 250;
/** How many interactive calls in a row may start before bulk ones that wait. */
const maxPassed = 3;

/**
 * Distributes calls to decoding processes, one at a time plus one ahead to each, and replaces those
 * that ended.
 */
export class DecoderScheduler {
  readonly #options: SchedulerOptions;
  /** Running calls and those sent ahead, in order. */
  readonly #running = new Map<WaitingJob, Decoder>();
  readonly #decoders = new Set<Decoder>();
  readonly #poisoned = new PoisonedFiles();
  #waiting: WaitingJob[] = [];
  /** Interactive calls that started before bulk ones, in a row. */
  #passed = 0;
  #isClosed = false;
  #recheck: NodeJS.Timeout | undefined;

  constructor(options: SchedulerOptions) {
    this.#options = options;
  }

  /**
   * @returns `gone` also when the process that held the media has ended.
   * @throws AppError of the call; `too_large` for a file over its budget, `undecodable_media` for
   *   one that ended its process.
   */
  async run(job: DecoderJob): Promise<DecoderResult> {
    const { file, call, signal } = job;
    if (file !== undefined && this.#poisoned.has(file)) {
      const message =
        "The file crashed its decoder twice; it will not be tried again for ten minutes";
      throw new AppError("undecodable_media", message, { param: paramOf(call) });
    }
    if (this.#isClosed) throw shuttingDown();
    signal?.throwIfAborted();
    let onAbort: (() => void) | undefined;
    try {
      return await new Promise<DecoderResult>((resolve, reject) => {
        const waiting = { ...job, priority: currentPriority(), resolve, reject };
        onAbort = () => {
          this.#waiting = this.#waiting.filter((other) => other !== waiting);
          reject(signal!.reason);
        };
        signal?.addEventListener("abort", onAbort, { once: true });
        this.#waiting.push(waiting);
        this.#dispatch();
      });
    } finally {
      if (onAbort !== undefined) signal?.removeEventListener("abort", onAbort);
    }
  }

  usage(): { processes: number; busy: number; waiting: number } {
    const busy = [...this.#decoders].filter((decoder) => decoder.calls > 0).length;
    return { processes: this.#decoders.size, busy, waiting: this.#waiting.length };
  }

  /** Called when media was released: a process may no longer be needed. */
  retireIfIdle(decoder: Decoder): void {
    if (decoder.calls > 0 || decoder.mediaKeys.size > 0) return;
    const { processes, maxRestingBytes } = this.#options;
    if (this.#decoders.size <= processes && decoder.grownBytes <= maxRestingBytes) return;
    this.#decoders.delete(decoder);
    void decoder.end("not needed");
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#recheck);
    for (const { reject } of this.#waiting.splice(0)) reject(shuttingDown());
    await Promise.all([...this.#decoders].map((decoder) => decoder.end("not needed")));
  }

  /**
   * Interactive calls before bulk ones, but not forever; within each kind, those whose media a
   * process already holds come first, then in order. A bulk add has dozens of files held.
   */
  #dispatch(): void {
    const first: Priority = this.#passed < maxPassed ? "interactive" : "bulk";
    const rank = ({ decoder, priority }: WaitingJob) =>
      (priority === first ? 0 : 2) + (decoder === undefined ? 1 : 0);
    const ordered = [...this.#waiting].sort((a, b) => rank(a) - rank(b));
    this.#waiting = ordered.filter((job) => {
      const decoder = job.decoder ?? this.#decoderFor(job);
      if (decoder === undefined) return true;
      if (decoder === job.decoder && isStuck(decoder) && !job.isLong) {
        job.resolve({ answer: "gone", decoder }); // decoded again elsewhere, it need not wait
        return false;
      }
      if (decoder.isFull || (decoder.calls > 0 && !mayBeSentAhead(job))) return true;
      void this.#start(job, decoder);
      return false;
    });
    if (this.#waiting.length > 0 || this.#running.size > 0)
      this.#recheck ??= setTimeout(() => this.#check(), recheckMs).unref();
  }

  /**
   * Calls sent ahead to a stuck process go to another; a call that nobody waits for is ended.
   */
  #check(): void {
    this.#recheck = undefined;
    for (const decoder of this.#decoders) {
      if (!isStuck(decoder)) continue;
      decoder.withdraw();
      const [first] = [...this.#running].find(([, other]) => other === decoder) ?? [];
      if (first?.signal?.aborted) void decoder.end("not needed");
    }
    this.#dispatch();
  }

  /** A free process, a new one while there is room, or one that is soon free. */
  #decoderFor({ isLong = false }: DecoderJob): Decoder | undefined {
    const { processes, entry, sandbox } = this.#options;
    const busyWithLong = new Set<Decoder>();
    for (const [job, decoder] of this.#running) if (job.isLong) busyWithLong.add(decoder);
    if (isLong && busyWithLong.size >= Math.max(1, processes - 1)) return undefined;
    for (const decoder of this.#decoders) if (decoder.calls === 0) return decoder;
    const slow = [...this.#decoders].filter(
      (decoder) => busyWithLong.has(decoder) || isStuck(decoder),
    );
    if (this.#decoders.size < processes + Math.min(slow.length, processes)) {
      const decoder = new Decoder(entry, sandbox);
      this.#decoders.add(decoder);
      return decoder;
    }
    if (isLong) return undefined;
    for (const decoder of this.#decoders)
      if (decoder.isReady && !decoder.isFull && !slow.includes(decoder)) return decoder;
    return undefined;
  }

  async #start(job: WaitingJob, decoder: Decoder): Promise<void> {
    this.#passed = isBulk(job) || !this.#waiting.some(isBulk) ? 0 : this.#passed + 1;
    try {
      this.#running.set(job, decoder);
      const answer = await decoder.run(job.call, job.buffers, job.budget);
      if (job.signal?.aborted && "key" in job.call) decoder.release(job.call.key); // nobody will
      job.resolve({ answer, decoder });
    } catch (error) {
      if (!(error instanceof DecoderEnded)) job.reject(error);
      else if (error.wasRunning) job.reject(this.#blame(job, error));
      else if (job.decoder !== undefined) job.resolve({ answer: "gone", decoder });
      else if (!job.signal?.aborted) this.#waiting.unshift(job);
    } finally {
      this.#running.delete(job);
      if (decoder.ended !== undefined) this.#decoders.delete(decoder);
      else this.retireIfIdle(decoder);
      if (!this.#isClosed) this.#dispatch();
    }
  }

  /** The error of a call whose process ended; the file is recorded if it may be the cause. */
  #blame({ file, call, budget }: WaitingJob, cause: DecoderEnded): Error {
    const { reason } = cause;
    if (this.#isClosed || reason === "not needed") return shuttingDown();
    this.#options.onEnded?.(cause);
    if (reason === "not started") return cause;
    if (file !== undefined) this.#poisoned.add(file);
    const [code, message] = blames[reason](budget);
    return new AppError(code, message, { param: paramOf(call), cause });
  }
}

const isBulk = ({ priority }: WaitingJob) => priority === "bulk";
/** Nobody overtakes a call that was sent ahead. */
const mayBeSentAhead = (job: WaitingJob) =>
  !job.isLong && !(isBulk(job) && isInteractiveExpected());

const isStuck = (decoder: Decoder) => decoder.spentMs > stuckMs;

const blames = {
  cpu: ({ cpuMs }) => [
    "too_large",
    `The file takes more than ${Math.ceil(cpuMs / 1000)} s of processor time (option ` +
      "maxDecodeSeconds)",
  ],
  memory: ({ memoryBytes }) => [
    "too_large",
    `The file takes more than ${Math.ceil(memoryBytes / 2 ** 20)} MiB of memory (option ` +
      "maxDecodeBytes)",
  ],
  silent: () => ["undecodable_media", "The file could not be processed: its decoder hung"],
  crashed: () => ["undecodable_media", "The file could not be processed: its decoder crashed"],
} satisfies Partial<
  Record<EndReason, (budget: DecodingBudget) => ["too_large" | "undecodable_media", string]>
>;

const shuttingDown = () => new AppError("cancelled", "The server is shutting down");

const paramOf = ({ method }: DecoderCall) =>
  method === "decodeImage" || method === "imagePixels" || method === "thumbnail"
    ? "image"
    : "audio";
