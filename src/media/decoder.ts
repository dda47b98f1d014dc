import type { ChildProcess } from "node:child_process";
import { Socket } from "node:net";
import { isLocked, type Locks, type SandboxMode } from "../sandbox/support.js";
import { isAnswerTo, revive } from "./decoder-answer.js";
import { DecoderEnded, type EndReason } from "./decoder-ended.js";
import { killGroup, startProcess } from "./decoder-start.js";
import { FrameReader, writeFrame } from "./frames.js";
import type { DecoderCall, DecoderReply, DecoderRequest } from "./serve-decoding.js";
import { type DecodingBudget, UsageMeter } from "./usage-meter.js";

/** A value and its buffers, or `gone`: the media is no longer held. */
export type DecoderAnswer = { value: unknown; buffers: Uint8Array<ArrayBuffer>[] } | "gone";

const watchMs = 100;
/**
 * Most calls of a process: one running, and one sent ahead, so that it need not wait for the
 * server.
 */
const maxCalls = 2;
const maxStartMs = 60_000;
/** The tensors of one request: 32 windows of a sound take 8 MB. */
const maxAnswerBytes = 2 ** 31;

interface Running {
  id: number;
  call: DecoderCall;
  /** Its answer is no longer needed: another process does it. */
  isWithdrawn?: boolean;
  budget: DecodingBudget;
  resolve: (answer: DecoderAnswer) => void;
  reject: (error: Error) => void;
}

/**
 * One process that decodes, seen from the server. It does one thing at a time, so that the cause of
 * its end is known.
 */
export class Decoder {
  /** Media that it holds, by key. */
  readonly mediaKeys = new Set<number>();
  readonly #child: ChildProcess;
  readonly #channel: Socket;
  readonly #exited: Promise<void>;
  readonly #startedAt = performance.now();
  readonly #meter = new UsageMeter();
  #complaint = "";
  readonly #sandbox: SandboxMode;
  #isReady = false;
  #locks: Locks | undefined;
  #ended: EndReason | undefined;
  /** In the order of their answers: only the first is running. */
  readonly #calls: Running[] = [];
  /** Keys of media to release, not sent yet. */
  readonly #forgotten: number[] = [];
  #nextId = 0;
  #watch: NodeJS.Timeout | undefined;

  /** @param entry  URL of a module that calls `serveDecoding`, with the ending `.js`. */
  constructor(entry: URL, sandbox: SandboxMode = "auto") {
    this.#sandbox = sandbox;
    this.#child = startProcess(entry, sandbox);
    this.#channel = this.#child.stdio[3] as Socket;
    const reader = new FrameReader(maxAnswerBytes, ({ message, buffers }) =>
      this.#receive(message as DecoderReply, buffers),
    );
    this.#channel.on("data", (chunk: Buffer) => {
      try {
        reader.push(chunk);
      } catch {
        void this.end("crashed"); // it sent something that is not a frame
      }
    });
    this.#channel.on("error", () => void this.end("crashed"));
    this.#child.stdin?.on("error", () => undefined);
    this.#child.stderr?.on("data", (chunk: Buffer) => {
      this.#complaint = (this.#complaint + chunk.toString()).slice(-2000);
    });
    this.#exited = new Promise((resolve) => {
      const onExit = () => {
        setImmediate(() => void this.end("crashed")); // its last output has been read by then
        resolve();
      };
      this.#child.once("exit", onExit);
      this.#child.once("error", onExit);
    });
    // None of them keeps the server alive; a running request does.
    this.#child.unref();
    for (const stream of [this.#child.stdin, this.#child.stderr, this.#channel])
      if (stream instanceof Socket) stream.unref();
  }

  /** Number of its calls. */
  get calls(): number {
    return this.#calls.length;
  }

  get isFull(): boolean {
    return this.#calls.length >= maxCalls;
  }

  get isReady(): boolean {
    return this.#isReady;
  }

  /** What it cannot do, once it is ready. */
  get locks(): Locks | undefined {
    return this.#locks;
  }

  /** Time spent on the running call (see `UsageMeter`). */
  get spentMs(): number {
    return this.#meter.spentMs;
  }

  /** Why it ended, once it has. */
  get ended(): EndReason | undefined {
    return this.#ended;
  }

  /** Resident memory that it took since it started, as last seen. */
  get grownBytes(): number {
    return this.#meter.grownBytes;
  }

  /**
   * Sends one request, at most one ahead of its turn. @throws DecoderEnded, or the method's error.
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
      this.#calls.push({ id, call, budget, resolve, reject });
      this.#channel.ref();
      this.#watch ??= setInterval(() => this.#check(), watchMs).unref();
      this.#channel.cork();
      this.#sendForgotten();
      writeFrame(this.#channel, { ...call, id }, buffers);
      this.#channel.uncork();
    });
  }

  /** Rejects the call sent ahead with DecoderEnded: the one before it takes too long. */
  withdraw(): void {
    for (const running of this.#calls.slice(1)) {
      if (running.isWithdrawn) continue;
      running.isWithdrawn = true;
      running.reject(new DecoderEnded("not needed"));
    }
  }

  release(key: number): void {
    if (this.mediaKeys.delete(key)) this.#forget(key);
  }

  /** Sent with the next call, or alone when none follows at once. */
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
   * Ends the process and its children at once. The running request fails with the reason.
   */
  end(why: EndReason): Promise<void> {
    if (this.#ended === undefined) {
      const reason = why === "crashed" && !this.#isReady ? "not started" : why;
      this.#ended = reason;
      const { pid } = this.#child;
      this.#child.ref(); // so that its end can be awaited
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
      this.#locks = reply.locks;
      if (this.#sandbox === "required" && !isLocked(reply.locks)) {
        this.#complaint = "The sandbox does not hold (option sandbox)";
        void this.end("not started");
        return;
      }
      this.#isReady = true;
      this.#meter.started(this.#child.pid!);
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
    this.#meter.next();
    if (this.#calls.length === 0) this.#rest();
    if (isWithdrawn) {
      if (isValue && "key" in call) this.#forget(call.key);
    } else if ("gone" in reply) resolve("gone");
    else if ("error" in reply) reject(revive(reply.error));
    else {
      if ("key" in call) this.mediaKeys.add(call.key);
      resolve({ value: reply.value, buffers });
    }
  }

  /** Nothing is running. */
  #rest(): void {
    this.#channel.unref();
    clearInterval(this.#watch);
    this.#watch = undefined;
  }

  /** Checks the running request against its budget. */
  #check(): void {
    const running = this.#calls[0];
    if (running === undefined) return;
    if (!this.#isReady) {
      if (performance.now() - this.#startedAt > maxStartMs) void this.end("not started");
      return;
    }
    if (!this.#meter.isDue) return;
    const excess = this.#meter.check(this.#child.pid!, running.budget);
    if (excess !== undefined) void this.end(excess);
  }
}
