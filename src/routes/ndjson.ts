import { AppError } from "../errors.js";
import { turnClock } from "../json/next-turn.js";
import { parseJsonBytes } from "../json/parse-json.js";

export const ndjsonType = "application/x-ndjson";

/** Whether a body comes as lines of JSON: such a body may have any length, but not its lines. */
export const isNdjson = (contentType: string | undefined): boolean =>
  /^application\/(x-)?(ndjson|jsonl|jsonlines)\b/i.test(contentType ?? "");

/** A line that is not blank. */
export interface Line {
  /** Counted from 1, blank lines too. */
  number: number;
  /** Of its text and its values; 0 when it was not kept. */
  bytes: number;
  /** Its JSON value, or its error. */
  value: unknown;
  error?: AppError;
}

const newline = 0x0a;

export interface ReadLinesOptions {
  /** Of one line. */
  maxBytes: number;
  signal: AbortSignal;
  /** The lines read; the `bytes` of each must be released when it is done. */
  room?: { take(bytes: number): Promise<void>; give(bytes: number): void };
}

/**
 * The lines of a body, in the groups in which they arrive. A line that is too long or not JSON
 * becomes an error, and reading continues; text after the last newline is a line too.
 *
 * @throws when the body breaks off; the signal's reason when it aborts.
 */
export async function* readLines(
  body: ReadableStream<Uint8Array> | null,
  { maxBytes, signal, room }: ReadLinesOptions,
): AsyncGenerator<Line[]> {
  if (body === null) return;
  const reader = body.getReader();
  const onAbort = () => void reader.cancel().catch(() => undefined);
  signal.addEventListener("abort", onAbort, { once: true });
  let parts: Uint8Array[] = [];
  let size = 0;
  let number = 0;
  const clock = turnClock(); // a socket may deliver megabytes in one turn of the event loop
  const take = (part: Uint8Array) => {
    size += part.length;
    if (size <= maxBytes) parts.push(part);
    else parts = []; // the rest of a line that is too long is skipped without keeping it
  };
  const end = async (): Promise<Line[]> => {
    const line = await lineOf(++number, parts, size, maxBytes);
    parts = [];
    size = 0;
    return line === undefined ? [] : [line];
  };
  try {
    while (true) {
      signal.throwIfAborted();
      const { done, value: chunk } = await reader.read();
      signal.throwIfAborted();
      if (done) break;
      await room?.take(chunk.length);
      const before = size <= maxBytes ? size : 0;
      const lines: Line[] = [];
      let from = 0;
      for (let at = chunk.indexOf(newline); at >= 0; at = chunk.indexOf(newline, from)) {
        if (at === from && size === 0) number++;
        else {
          take(chunk.subarray(from, at));
          lines.push(...(await end()));
        }
        from = at + 1;
        if (clock.isUp()) await clock.next();
      }
      if (from < chunk.length) take(chunk.subarray(from));
      // Kept of it: whole lines, and the beginning of one
      const kept = lines.reduce((sum, { bytes }) => sum + bytes, size <= maxBytes ? size : 0);
      room?.give(before + chunk.length - kept);
      if (lines.length > 0) yield lines;
    }
    if (size > 0) yield await end();
  } finally {
    signal.removeEventListener("abort", onAbort);
    await reader.cancel().catch(() => undefined);
  }
}

async function lineOf(
  number: number,
  parts: Uint8Array[],
  size: number,
  maxBytes: number,
): Promise<Line | undefined> {
  if (size > maxBytes) {
    const message = `Line ${number} is larger than ${maxBytes} bytes (option maxBodyBytes)`;
    return { number, bytes: 0, value: undefined, error: new AppError("too_large", message) };
  }
  const line = parts.length === 1 ? parts[0] : Buffer.concat(parts);
  if (line.every((byte) => byte === 0x20 || byte === 0x0d || byte === 0x09)) return undefined;
  try {
    let bytes = size;
    const onHeld = (heldBytes: number) => {
      bytes += heldBytes;
    };
    const value = await parseJsonBytes(line, { name: `Line ${number}`, onHeld });
    return { number, bytes, value };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return { number, bytes: 0, value: undefined, error };
  }
}

/** Most lines and bytes of a group. A larger line is a group of its own. */
const groupLimits = { lines: 64, bytes: 8 * 2 ** 20 };

/**
 * Regroups: lines that arrive while the consumer is busy form one group, and no more than one group
 * is read ahead. So groups are large under load, and a single line is not held back.
 */
export async function* regroup<T extends Pick<Line, "bytes">>(
  source: AsyncGenerator<T[]>,
  limits = groupLimits,
): AsyncGenerator<T[]> {
  const waiting: T[] = [];
  let ended: { error?: unknown } | undefined;
  let stopped = false;
  let wakeTaker = () => {};
  let wakeSource = () => {};
  const isFull = () => waiting.length >= limits.lines || sizeOf(waiting) >= limits.bytes;
  const pump = async () => {
    try {
      for await (const some of source) {
        waiting.push(...some);
        wakeTaker();
        while (isFull() && !stopped) {
          await new Promise<void>((resolve) => {
            wakeSource = resolve;
          });
        }
        if (stopped) break;
      }
      ended = {};
    } catch (error) {
      ended = { error };
    }
    wakeTaker();
  };
  void pump();
  try {
    while (true) {
      if (waiting.length > 0) {
        const group = waiting.splice(0, countWithin(waiting, limits));
        wakeSource();
        yield group;
      } else if (ended !== undefined) {
        if ("error" in ended) throw ended.error;
        return;
      } else {
        await new Promise<void>((resolve) => {
          wakeTaker = resolve;
        });
      }
    }
  } finally {
    stopped = true;
    wakeSource();
  }
}

const sizeOf = (lines: readonly Pick<Line, "bytes">[]) =>
  lines.reduce((sum, { bytes }) => sum + bytes, 0);

/** How many of the first lines are within the limits: at least one. */
function countWithin(
  lines: readonly Pick<Line, "bytes">[],
  limits: { lines: number; bytes: number },
): number {
  let count = 1;
  let bytes = lines[0].bytes;
  while (count < Math.min(lines.length, limits.lines)) {
    bytes += lines[count].bytes;
    if (bytes > limits.bytes) break;
    count++;
  }
  return count;
}
