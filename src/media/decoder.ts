import type { ChildProcess } from "node:child_process";
import { Socket } from "node:net";
import { AppError } from "../errors.js";
import { isAnswerTo } from "./decoder-answer.js";
import { DecoderEnded, type EndReason } from "./decoder-ended.js";
import { killGroup, startProcess } from "./decoder-start.js";
import { FrameReader, writeFrame } from "./frames.js";
import { type ProcessUsage, processUsage } from "./process-usage.js";
import type { DecoderCall, DecoderReply, DecoderRequest } from "./serve-decoding.js";

/** What one request may use before its process is ended. */
export interface DecodingBudget {
  cpuMs: number;
  /** Beyond what the process held before. */
  memoryBytes: number;
}

/** A value and its buffers, or `gone`: the media it is about is not held any more. */
export type DecoderAnswer = { value: unknown; buffers: Uint8Array<ArrayBuffer>[] } | "gone";

const watchMs = 100;
/**
 * Calls that a process may have: one that it works on, and one sent ahead, so that it need not wait
 * for the server.
 */
const maxCalls = 2;
const maxStartMs = 60_000;
/**
 * A process that uses no processor time at all hangs: it is given this many times its budget on the
 * clock.
 */
const hangFactor = 4;
/** The tensors of one request: 32 windows of a sound take 8 MB. */
const maxAnswerBytes = 2 ** 31;

interface Running {
  id: number;
  call: DecoderCall;
  /** Nobody waits for its answer any more: another process does it. */
  isWithdrawn?: boolean;
  budget: DecodingBudget;
  /** What had been used, and the time, when the request was first seen under way. */
  since?: { used: ProcessUsage | undefined; at: number };
  /**
   * Processor time so far, and when it was last seen to grow: a process that others keep from the
   * processor does not hang.
   */
  progress: { cpuMs: number; at: number };
  resolve: (answer: DecoderAnswer) => void;
  reject: (error: Error) => void;
}

/**
 * One process that decodes, seen from the server. It does one thing after the other, so that
 * whatever ends it is known.
 */
export class Decoder {
  /** Media that it holds, by key. */
  readonly held = new Set<number>();
  readonly #child: ChildProcess;
  readonly #channel: Socket;
  readonly #exited: Promise<void>;
  readonly #startedAt = performance.now();
  #complaint = "";
  #isReady = false;
  #ended: EndReason | undefined;
  /** In the order of their answers: only the first is being worked on. */
  readonly #calls: Running[] = [];
  /** Processor time of the first so far, as last seen. */
  #spentMs = 0;
  /** Keys of media that it may give up, not sent yet. */
  readonly #forgotten: number[] = [];
  #nextId = 0;
  #watch: NodeJS.Timeout | undefined;
  /** Memory when it had started, and when it was last seen. */
  #memory = { initial: 0, last: 0 };

  /** @param entry  URL of a module that calls `serveDecoding`, with the ending `.js`. */
  constructor(entry: URL) {
    this.#child = startProcess(entry);
    this.#channel = this.#child.stdio[3] as Socket;
    const reader = new FrameReader(maxAnswerBytes, ({ message, buffers }) =>
      this.#receive(message as DecoderReply, buffers),
    );
    this.#channel.on("data", (chunk: Buffer) => {
      try {
        reader.push(chunk);
      } catch {
        void this.end("crashed"); // it sends what is no frame
      }
    });
    this.#channel.on("error", () => void this.end("crashed"));
    this.#child.stdin?.on("error", () => undefined);
    this.#child.stderr?.on("data", (chunk: Buffer) => {
      this.#complaint = (this.#complaint + chunk.toString()).slice(-2000);
    });
    this.#exited = new Promise((resolve) => {
      const onExit = () => {
        setImmediate(() => void this.end("crashed")); // what it printed last is read by then
        resolve();
      };
      this.#child.once("exit", onExit);
      this.#child.once("error", onExit);
    });
    // None of them keeps the server alive; a request under way does.
    this.#child.unref();
    for (const stream of [this.#child.stdin, this.#child.stderr, this.#channel])
      if (stream instanceof Socket) stream.unref();
  }

  /** Calls that it has. */
  get calls(): number {
    return this.#calls.length;
  }

  get isFull(): boolean {
    return this.#calls.length >= maxCalls;
  }

  get isReady(): boolean {
    return this.#isReady;
  }

  /**
   * Time that it has spent on the call under way: of a processor, or on the clock when it hangs.
   */
  get spentMs(): number {
    return this.#spentMs;
  }

  /** Why it ended, once it has. */
  get ended(): EndReason | undefined {
    return this.#ended;
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Resident memory that it took since it started, as last seen. */
  get grownBytes(): number {
    return this.#memory.last - this.#memory.initial;
  }

  /**
   * Sends one request, at most one ahead of its turn. @throws DecoderEnded, or what its method
   * throws.
   */
  run(
    call: DecoderCall,
    buffers: readonly Uint8Array[],
    budget: DecodingBudget,
  ): Promise<DecoderAnswer> {
    if (this.#ended !== undefined) return Promise.reject(new DecoderEnded(this.#ended));
    if (this.isFull) throw new RangeError("The decoding process is busy");
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      const progress = { cpuMs: 0, at: 0 };
      this.#calls.push({ id, call, budget, progress, resolve, reject });
      this.#channel.ref();
      this.#watch ??= setInterval(() => this.#check(), watchMs).unref();
      this.#channel.cork();
      this.#sendForgotten();
      writeFrame(this.#channel, { ...call, id }, buffers);
      this.#channel.uncork();
    });
  }

  /** Gives back what was sent ahead, as DecoderEnded: the call before it takes long. */
  withdraw(): void {
    for (const running of this.#calls.slice(1)) {
      if (running.isWithdrawn) continue;
      running.isWithdrawn = true;
      running.reject(new DecoderEnded("not needed"));
    }
  }

  release(key: number): void {
    if (this.held.delete(key)) this.#forget(key);
  }

  /** Goes along with the next call; alone when none comes at once. */
  #forget(key: number): void {
    if (this.#ended !== undefined) return;
    if (this.#forgotten.length === 0) setImmediate(() => this.#sendForgotten());
    this.#forgotten.push(key);
  }

  #sendForgotten(): void {
    if (this.#ended !== undefined || this.#forgotten.length === 0) return;
    const keys = this.#forgotten.splice(0);
    writeFrame(this.#channel, { id: -1, method: "release", keys } satisfies DecoderRequest);
  }

  /**
   * Ends the process and all that it has started at once. The request under way fails with the
   * reason.
   */
  end(why: EndReason): Promise<void> {
    if (this.#ended === undefined) {
      const reason = why === "crashed" && !this.#isReady ? "not started" : why;
      this.#ended = reason;
      const { pid } = this.#child;
      this.#child.ref(); // whoever waits for its end sees it
      if (pid !== undefined) killGroup(pid, this.#child);
      this.#channel.destroy();
      const [running, ...ahead] = this.#calls.splice(0);
      this.#rest();
      running?.reject(new DecoderEnded(reason, this.#complaint));
      for (const { reject } of ahead) reject(new DecoderEnded(reason));
    }
    return this.#exited;
  }

  #receive(reply: DecoderReply, buffers: Uint8Array<ArrayBuffer>[]): void {
    if ("ready" in reply) {
      this.#isReady = true;
      const resident = processUsage(this.#child.pid!)?.residentBytes ?? 0;
      this.#memory = { initial: resident, last: resident };
      return;
    }
    const running = this.#calls[0];
    if (reply.id !== running?.id) {
      void this.end("crashed");
      return;
    }
    const { call, isWithdrawn, resolve, reject } = running;
    const isValue = !("gone" in reply || "error" in reply);
    if (isValue && !isAnswerTo(call, reply.value, buffers)) {
      void this.end("crashed");
      return;
    }
    this.#calls.shift();
    this.#spentMs = 0;
    if (this.#calls.length === 0) this.#rest();
    if (isWithdrawn) {
      if (isValue && "key" in call) this.#forget(call.key);
    } else if ("gone" in reply) resolve("gone");
    else if ("error" in reply) reject(revive(reply.error));
    else {
      if ("key" in call) this.held.add(call.key);
      resolve({ value: reply.value, buffers });
    }
  }

  /** There is nothing to do. */
  #rest(): void {
    this.#channel.unref();
    clearInterval(this.#watch);
    this.#watch = undefined;
  }

  /** Compares what the request under way has used with its budget. */
  #check(): void {
    const running = this.#calls[0];
    if (running === undefined) return;
    const now = performance.now();
    if (!this.#isReady) {
      if (now - this.#startedAt > maxStartMs) void this.end("not started");
      return;
    }
    const used = processUsage(this.#child.pid!);
    if (running.since === undefined) {
      // It has run for up to `watchMs` already: what it held before is what was seen last.
      const residentBytes = Math.min(used?.residentBytes ?? 0, this.#memory.last);
      running.since = { used: used && { ...used, residentBytes }, at: now };
    }
    const { since, budget } = running;
    const cpuMs = used && since.used ? used.cpuMs - since.used.cpuMs : now - since.at;
    const grown = used && since.used ? used.residentBytes - since.used.residentBytes : 0;
    if (used !== undefined) this.#memory.last = used.residentBytes;
    if (cpuMs > running.progress.cpuMs || running.progress.at === 0)
      running.progress = { cpuMs, at: now };
    const idleMs = now - running.progress.at;
    this.#spentMs = Math.max(cpuMs, idleMs / hangFactor);
    if (cpuMs > budget.cpuMs) void this.end("cpu");
    else if (grown > budget.memoryBytes) void this.end("memory");
    else if (idleMs > hangFactor * budget.cpuMs) void this.end("silent");
  }
}

function revive({
  name,
  message,
  code,
  param,
}: Extract<DecoderReply, { error: unknown }>["error"]) {
  if (name === "AppError" && code !== undefined) return new AppError(code, message, { param });
  return name === "RangeError" ? new RangeError(message) : new Error(message);
}
