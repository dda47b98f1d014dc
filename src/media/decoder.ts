import { type ChildProcess, spawn } from "node:child_process";
import { createRequire } from "node:module";
import { Socket } from "node:net";
import { getPriority, setPriority } from "node:os";
import { fileURLToPath, pathToFileURL } from "node:url";
import { AppError } from "../errors.js";
import { FrameReader, writeFrame } from "./frames.js";
import { type ProcessUsage, processUsage } from "./process-usage.js";
import type { DecoderReply, DecoderRequest } from "./serve-decoding.js";

/** What one request may use before its process is ended. */
export interface DecodingBudget {
  cpuMs: number;
  /** Beyond what the process held before. */
  memoryBytes: number;
}

/** Why a process ended: by itself, over its budget, without an answer for too long, or because it is not needed. */
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

/** A value and its buffers, or `gone`: the media it is about is not held any more. */
export type DecoderAnswer = { value: unknown; buffers: Uint8Array<ArrayBuffer>[] } | "gone";

const watchMs = 100;
const maxStartMs = 60_000;
/** A process that waits for something uses no processor time: it is given this many times its budget on the clock. */
const wallFactor = 4;
/** The tensors of one request: 32 windows of a sound take 8 MB. */
const maxAnswerBytes = 2 ** 31;
/** How much a decoder gives way: it prepares the next batch while a graph runs, and must not slow it. */
const niceness = 5;
/** What it needs of the environment, in which there are secrets: where ffmpeg and its libraries are, and where to write. */
const passedOn = ["PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SystemRoot", "TMPDIR", "TEMP"];

type Sent<T = DecoderRequest> = T extends { id: number } ? Omit<T, "id"> : never;
/** A request, without its number. */
export type DecoderCall = Exclude<Sent, { method: "release" }>;

interface Running {
  id: number;
  budget: DecodingBudget;
  /** What had been used, and the time, when the request was first seen under way. */
  since?: { used: ProcessUsage | undefined; at: number };
  resolve: (answer: DecoderAnswer) => void;
  reject: (error: Error) => void;
}

/** One process that decodes, seen from the server. It does one thing at a time, so that whatever ends it is known. */
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
  #running: Running | undefined;
  #nextId = 0;
  #watch: NodeJS.Timeout | undefined;
  /** Memory when it had started, and when it was last seen. */
  #memory = { initial: 0, last: 0 };

  /** @param entry  URL of a module that calls `serveDecoding`, with the ending `.js` (see `commandOf`). */
  constructor(entry: URL) {
    const environment = passedOn.flatMap((name) =>
      process.env[name] === undefined ? [] : [[name, process.env[name]]],
    );
    this.#child = spawn(process.execPath, commandOf(entry), {
      env: { ...Object.fromEntries(environment), UV_THREADPOOL_SIZE: "2" },
      stdio: ["pipe", "ignore", "pipe", "pipe"],
      detached: true, // a process group of its own, which ends with its ffmpeg
    });
    giveWay(this.#child.pid);
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

  get isBusy(): boolean {
    return this.#running !== undefined;
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

  /** Sends one request; the one before must have been answered. @throws DecoderEnded, or what its method throws. */
  run(
    call: DecoderCall,
    buffers: readonly Uint8Array[],
    budget: DecodingBudget,
  ): Promise<DecoderAnswer> {
    if (this.#ended !== undefined) return Promise.reject(new DecoderEnded(this.#ended));
    if (this.#running !== undefined) throw new RangeError("The decoding process is busy");
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#running = { id, budget, resolve, reject };
      this.#channel.ref();
      this.#watch ??= setInterval(() => this.#check(), watchMs).unref();
      writeFrame(this.#channel, { ...call, id }, buffers);
    });
  }

  release(key: number): void {
    if (!this.held.delete(key) || this.#ended !== undefined) return;
    writeFrame(this.#channel, { id: -1, method: "release", key } satisfies DecoderRequest);
  }

  /** Ends the process and all that it has started at once. The request under way fails with the reason. */
  end(why: EndReason): Promise<void> {
    if (this.#ended === undefined) {
      const reason = why === "crashed" && !this.#isReady ? "not started" : why;
      this.#ended = reason;
      const { pid } = this.#child;
      this.#child.ref(); // whoever waits for its end sees it
      if (pid !== undefined) killGroup(pid, this.#child);
      this.#channel.destroy();
      const running = this.#finish();
      running?.reject(new DecoderEnded(reason, this.#complaint));
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
    if (reply.id !== this.#running?.id) {
      void this.end("crashed");
      return;
    }
    const { resolve, reject } = this.#finish()!;
    if ("gone" in reply) resolve("gone");
    else if ("error" in reply) reject(revive(reply.error));
    else resolve({ value: reply.value, buffers });
  }

  #finish(): Running | undefined {
    const running = this.#running;
    this.#running = undefined;
    this.#channel.unref();
    clearInterval(this.#watch);
    this.#watch = undefined;
    return running;
  }

  /** Compares what the request under way has used with its budget. */
  #check(): void {
    const running = this.#running;
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
    const wallMs = now - since.at;
    const cpuMs = used && since.used ? used.cpuMs - since.used.cpuMs : wallMs;
    const grown = used && since.used ? used.residentBytes - since.used.residentBytes : 0;
    if (used !== undefined) this.#memory.last = used.residentBytes;
    if (cpuMs > budget.cpuMs) void this.end("cpu");
    else if (grown > budget.memoryBytes) void this.end("memory");
    else if (wallMs > wallFactor * budget.cpuMs) void this.end("silent");
  }
}

/** The arguments of node for a module; from TypeScript (tests, `npm run dev`) the `.ts` file beside it, through tsx. */
function commandOf(entry: URL): string[] {
  const path = fileURLToPath(entry);
  const flags = ["--max-old-space-size=256"]; // of JavaScript objects; pixels and samples are not among them
  if (!import.meta.url.endsWith(".ts")) return [...flags, path];
  const tsx = pathToFileURL(createRequire(import.meta.url).resolve("tsx"));
  return [...flags, "--import", tsx.href, path.replace(/\.js$/, ".ts")];
}

/** Right after the start, so that every thread of the process inherits it. */
function giveWay(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    setPriority(pid, Math.min(19, getPriority() + niceness)); // of a server that gives way itself, too
  } catch {
    // A sandbox may forbid it: then it is slower, no more.
  }
}

function killGroup(pid: number, child: ChildProcess): void {
  try {
    if (process.platform === "win32") child.kill("SIGKILL");
    else process.kill(-pid, "SIGKILL");
  } catch {
    // It has ended by itself.
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
