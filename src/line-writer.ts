import { EventEmitter, once } from "node:events";
import { close, write as fsWrite, writeSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";
import { lostLogLines } from "./metrics.js";

const write = promisify(fsWrite);

/** What waits in memory; lines beyond it are lost, and counted. */
const maxWaitingBytes = 4 * 2 ** 20;
/** Of one write: what waits is joined. */
const maxWriteBytes = 64 * 2 ** 10;
/** Until the next attempt where a write failed, as on a full disk. */
const retryAfterMs = 1000;
/** Until the next attempt where the reader of a pipe is slow. */
const readerWaitMs = 20;
/** For such a reader at the end of the process, which waits for it. */
const lastWaitMs = 200;
/** Of a place that is as good as before once there is room; others are opened anew. */
const passing = new Set<string | undefined>(["ENOSPC", "EDQUOT", "EAGAIN"]);

/** Where lines go. */
export interface LinePlace {
  /** In the metrics. */
  readonly name: "log" | "audit";
  /**
   * @returns a descriptor to append to, and whether writing there fails with EAGAIN instead of
   * waiting. @throws Error of the file system.
   */
  open(): { descriptor: number; neverWaits: boolean };
  /** Whether lines that are written to the open descriptor are kept nowhere. */
  isGone(descriptor: number): boolean;
}

/** Lines that were not kept, and when the first and the last of them came. */
export interface Loss {
  lost: number;
  from: string;
  to: string;
}

/** Those that still have something to write: tried once more at the end of the process. */
const unfinished = new Set<LineWriter>();
process.on("exit", () => {
  for (const writer of unfinished) writer.writeNow();
});

/**
 * Appends lines to a file, pipe or terminal, and never fails: lines that cannot be written now, as
 * on a full disk or where a reader is slow, wait in bounded memory and are written when they can
 * be. What may wait is done in a thread of libuv's pool, so that it does not stop the event loop.
 */
export class LineWriter {
  /** Called when writing begins to fail. */
  onTrouble: (error: Error) => void = () => undefined;
  /** Called when everything that waited is written after trouble or a loss. */
  onRecovery: (loss: Loss | undefined) => void = () => undefined;

  #place: LinePlace;
  #descriptor: number | undefined;
  #neverWaits = false;
  #isStale = false;
  #isClosed = false;
  /** The oldest first. */
  readonly #lines: Buffer[] = [];
  #waitingBytes = 0;
  /** Bytes of the first lines that are written, and that are being written. */
  #writtenBytes = 0;
  #bytesUnderWay = 0;
  #accepted = 0;
  #finished = 0;
  #isRunning = false;
  #loss: Loss | undefined;
  #trouble: Error | undefined;
  readonly #turns = new EventEmitter().setMaxListeners(0);

  constructor(place: LinePlace) {
    this.#place = place;
  }

  /** Why nothing can be written at the moment. */
  get trouble(): Error | undefined {
    return this.#trouble;
  }

  /** Lines that are not written yet. */
  get waiting(): number {
    return this.#lines.length;
  }

  /**
   * @param line  with its line feed.
   * @returns whether it is kept: not once too much waits.
   */
  write(line: string): boolean {
    const bytes = Buffer.from(line);
    if (this.#waitingBytes + bytes.length > maxWaitingBytes) {
      const to = new Date().toISOString();
      this.#loss = { lost: (this.#loss?.lost ?? 0) + 1, from: this.#loss?.from ?? to, to };
      lostLogLines.inc({ log: this.#place.name });
      return false;
    }
    this.#lines.push(bytes);
    this.#waitingBytes += bytes.length;
    this.#accepted++;
    void this.#run();
    return true;
  }

  /**
   * Waits until the lines that were kept so far are written, unless there is trouble.
   * @returns whether they are; a place that has not taken them in time is in trouble.
   */
  async flush(timeoutMs: number): Promise<boolean> {
    const last = this.#accepted;
    const signal = AbortSignal.timeout(timeoutMs);
    while (this.#finished < last) {
      if (this.#trouble !== undefined) return false;
      await once(this.#turns, "turn", { signal }).catch(() =>
        this.#fail(new Error(`nothing could be written for ${timeoutMs} ms`)),
      );
    }
    return true;
  }

  /** Opens the place anew, or another one, where lines that wait go too. */
  reopen(place: LinePlace = this.#place): void {
    this.#place = place;
    this.#isStale = true;
    void this.#run();
  }

  /** For the end of the process: waits for a slow reader only, and for him not long. */
  writeNow(): void {
    if (this.#descriptor === undefined || this.#trouble !== undefined) return;
    const rest = Buffer.concat(this.#lines).subarray(this.#writtenBytes + this.#bytesUnderWay);
    const lastTry = performance.now() + lastWaitMs;
    for (let at = 0; at < rest.length; ) {
      try {
        at += writeSync(this.#descriptor, rest, at);
      } catch (error) {
        const isSlow = (error as NodeJS.ErrnoException).code === "EAGAIN";
        if (!isSlow || performance.now() > lastTry) return; // there is nowhere left to say it
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, readerWaitMs);
      }
    }
  }

  /** Lets the place go for good; lines that still wait are dropped. */
  close(): void {
    this.#isClosed = true;
    this.#drop(this.#lines.length);
    void this.#run();
  }

  async #run(): Promise<void> {
    if (this.#isRunning) return;
    this.#isRunning = true;
    unfinished.add(this);
    while (!this.#isClosed && (this.#lines.length > 0 || this.#isStale)) {
      try {
        await this.#writeSome();
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        const isSlow = code === "EAGAIN";
        if (!passing.has(code)) this.#isStale = true;
        if (!isSlow) this.#fail(error as Error);
        await pause(isSlow ? readerWaitMs : retryAfterMs, undefined, { ref: false });
      }
    }
    this.#isRunning = false;
    unfinished.delete(this);
    if (this.#isClosed) return this.#letGo();
    const loss = this.#loss;
    if (this.#trouble === undefined && loss === undefined) return;
    this.#trouble = undefined;
    this.#loss = undefined;
    this.onRecovery(loss);
  }

  async #writeSome(): Promise<void> {
    const descriptor = this.#open();
    let count = 0;
    let size = 0;
    while (count < this.#lines.length && (count === 0 || size < maxWriteBytes))
      size += this.#lines[count++].length;
    if (count === 0) return;
    const chunk = Buffer.concat(this.#lines.slice(0, count)).subarray(this.#writtenBytes);
    const written = this.#neverWaits
      ? writeSync(descriptor, chunk)
      : await this.#writeInThread(descriptor, chunk);
    if (written === 0) throw new Error("nothing was written");
    this.#writtenBytes += written;
    let done = 0;
    while (done < this.#lines.length && this.#writtenBytes >= this.#lines[done].length)
      this.#writtenBytes -= this.#lines[done++].length;
    this.#drop(done);
    this.#turns.emit("turn");
  }

  async #writeInThread(descriptor: number, chunk: Buffer): Promise<number> {
    this.#bytesUnderWay = chunk.length;
    try {
      return (await write(descriptor, chunk)).bytesWritten;
    } finally {
      this.#bytesUnderWay = 0;
    }
  }

  #drop(count: number): void {
    for (const line of this.#lines.splice(0, count)) this.#waitingBytes -= line.length;
    this.#finished += count;
  }

  #open(): number {
    const descriptor = this.#descriptor;
    if (descriptor !== undefined && (this.#isStale || this.#place.isGone(descriptor)))
      this.#letGo();
    if (this.#descriptor === undefined) {
      const { descriptor: opened, neverWaits } = this.#place.open();
      this.#descriptor = opened;
      this.#neverWaits = neverWaits;
    }
    this.#isStale = false;
    return this.#descriptor;
  }

  #letGo(): void {
    // Those of the process itself stay: another file would take their number.
    const isOurs = this.#descriptor !== undefined && this.#descriptor > 2;
    if (isOurs) close(this.#descriptor!, () => undefined);
    this.#descriptor = undefined;
    this.#writtenBytes = 0; // a line that was cut short is written again as a whole
  }

  #fail(error: Error): void {
    const isNew = this.#trouble === undefined;
    this.#trouble = error;
    this.#turns.emit("turn");
    if (isNew) this.onTrouble(error);
  }
}
