import { basename } from "node:path";
import { Presets, SingleBar } from "cli-progress";
import type { PullProgress } from "../models/pull-options.js";

/** How often a transfer writes a line without a terminal. */
const lineEveryMs = 10_000;

interface Output {
  isTTY?: boolean;
  write(text: string): unknown;
}

/**
 * Shows a pull on stderr: on a terminal a bar with speed and time left, elsewhere a line for each
 * file and occasional ones in between.
 *
 * @param now  milliseconds; a parameter so that tests control the time.
 */
export function transferProgress(
  output: Output & NodeJS.WritableStream = process.stderr,
  now: () => number = () => performance.now(),
): PullProgress & { stop(): void } {
  const meter = new Meter(now);
  const bar = output.isTTY
    ? new SingleBar(
        {
          stream: output,
          format: "{bar} {percentage}% · {state}",
          barsize: 16,
          hideCursor: true,
          clearOnComplete: true,
          fps: 5,
        },
        Presets.shades_classic,
      )
    : undefined;
  let path = "";
  let lastLineAt = 0;
  const printLine = (text: string) => {
    // The bar's line is written over; the next update draws it again below.
    if (bar?.isActive) output.write("\r\x1b[K");
    output.write(`${text}\n`);
  };
  const show = () => {
    const state = `${meter.state()} · ${basename(path)}`;
    bar?.update(Math.min(meter.here, meter.total), { state });
    if (bar !== undefined || now() - lastLineAt < lineEveryMs) return;
    lastLineAt = now();
    printLine(state);
  };
  return {
    begin(files, bytes) {
      meter.total = bytes;
      lastLineAt = now();
      printLine(`${files} files, ${sized(bytes)}`);
      bar?.start(bytes, 0, { state: "" });
    },
    file(name, size) {
      path = name;
      meter.next(size);
      show();
    },
    bytes(receivedBytes) {
      meter.update(receivedBytes);
      show();
    },
    done(from) {
      meter.complete(from === "the hub");
      printLine(`  ${path}  ${sized(meter.fileSize)}${from === "the hub" ? "" : `  from ${from}`}`);
      show();
    },
    notice: printLine,
    stop: () => bar?.stop(),
  };
}

/**
 * Bytes of all files together, and their rate over the last seconds, so that a pause shows.
 */
class Meter {
  total = 0;
  fileSize = 0;
  readonly #now: () => number;
  #before = 0;
  #inFile = 0;
  /** Bytes that came over the network, by time. */
  #samples: { at: number; received: number }[] = [];
  #received = 0;
  #fresh = true;

  constructor(now: () => number) {
    this.#now = now;
  }

  get here(): number {
    return this.#before + this.#inFile;
  }

  next(size: number | undefined): void {
    this.#inFile = 0;
    this.fileSize = size ?? 0;
    this.#fresh = true;
  }

  update(receivedBytes: number): void {
    // Bytes present when a file starts were not transferred now.
    if (!this.#fresh && receivedBytes > this.#inFile)
      this.#received += receivedBytes - this.#inFile;
    this.#fresh = false;
    this.#inFile = receivedBytes;
    this.#samples.push({ at: this.#now(), received: this.#received });
    while (this.#samples.length > 2 && this.#samples[0].at < this.#now() - 5000)
      this.#samples.shift();
  }

  complete(fetched: boolean): void {
    if (fetched) this.fileSize = this.#inFile;
    this.#before += this.fileSize;
    this.#inFile = 0;
  }

  /** `12.3 of 606.0 MB · 4.1 MB/s · 2:25 left`. */
  state(): string {
    const amount = `${(this.here / 1e6).toFixed(1)} of ${sized(this.total)}`;
    const [first] = this.#samples;
    const seconds = first === undefined ? 0 : (this.#now() - first.at) / 1000;
    const speed = seconds > 0 ? (this.#received - first.received) / seconds : 0;
    if (speed <= 0) return amount;
    const left = Math.ceil((this.total - this.here) / speed);
    return `${amount} · ${sized(speed)}/s · ${clock(left)} left`;
  }
}

const sized = (bytes: number) =>
  bytes < 1e5 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;

/** 145 s -> 2:25. */
function clock(seconds: number): string {
  const two = (value: number) => String(Math.floor(value)).padStart(2, "0");
  const rest = `${two((seconds / 60) % 60)}:${two(seconds % 60)}`;
  return seconds >= 3600 ? `${Math.floor(seconds / 3600)}:${rest}` : rest.replace(/^0/, "");
}
