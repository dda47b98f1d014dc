import type { JobAnswer } from "../wire/jobs.js";
import { ApiError, ConnectionError } from "./errors.js";
import { linesOf } from "./lines.js";
import { delayOf, pause } from "./retry.js";
import type { CallOptions, Send } from "./send.js";

export interface JobEventsOptions extends CallOptions {
  /** A connection silent for this long counts as lost; the server writes every 15 seconds. */
  idleMs?: number;
}

/**
 * A job's states until it has ended; the last one is the final state. A broken connection is opened
 * again, and the server then starts with the current state. Gives up after `maxRetries` failures in
 * a row without an event.
 */
export async function* jobEvents(
  send: Send,
  path: string,
  { signal, maxRetries = 5, idleMs = 45_000 }: JobEventsOptions = {},
): AsyncGenerator<JobAnswer> {
  for (let failures = 0; ; failures++) {
    const silence = new AbortController();
    const either =
      signal === undefined ? silence.signal : AbortSignal.any([signal, silence.signal]);
    try {
      const headers = { accept: "text/event-stream" };
      const response = await send(path, { headers, signal: either, maxRetries: 0 });
      for await (const data of dataOf(watched(linesOf(response, either), silence, idleMs))) {
        const job = JSON.parse(data) as JobAnswer;
        failures = 0;
        yield job;
        if (job.state !== "queued" && job.state !== "running") return;
      }
      throw new ConnectionError("The connection broke off before the job ended");
    } catch (error) {
      signal?.throwIfAborted();
      const after = error instanceof ApiError ? error.retryAfterSeconds : undefined;
      const delay = delayOf(failures, after);
      if (!isPassing(error) || failures >= maxRetries || delay === undefined) throw error;
      await pause(delay, signal);
    }
  }
}

/** Truncated JSON means that the connection broke. */
const isPassing = (error: unknown) =>
  error instanceof ApiError
    ? error.status === 429 || error.status === 503
    : error instanceof ConnectionError || error instanceof SyntaxError;

/** The lines as they arrive. @throws ConnectionError when none has arrived for `idleMs`. */
async function* watched(
  lines: AsyncGenerator<string>,
  silence: AbortController,
  idleMs: number,
): AsyncGenerator<string> {
  const lost = new ConnectionError(`The server sent nothing for ${idleMs / 1000} seconds`);
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    while (true) {
      timer = setTimeout(() => silence.abort(lost), idleMs);
      const { done, value } = await lines.next();
      clearTimeout(timer);
      if (done) return;
      yield value;
    }
  } finally {
    clearTimeout(timer);
    await lines.return(undefined);
  }
}

/** The data of server-sent events ("Server-sent events" of the HTML standard), without comments. */
async function* dataOf(lines: AsyncIterable<string>): AsyncGenerator<string> {
  let data: string[] = [];
  for await (const line of lines) {
    if (line === "") {
      if (data.length > 0) yield data.join("\n");
      data = [];
    } else if (line === "data" || line.startsWith("data:")) {
      data.push(line.slice(5).replace(/^ /, ""));
    }
  }
}
