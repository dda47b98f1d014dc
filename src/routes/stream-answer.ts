import type { ServerResponse } from "node:http";
import type { Context } from "hono";
import { AppError } from "../errors.js";
import type { Log } from "../log.js";
import type { StreamGuard } from "./stream-guard.js";

export interface StreamAnswerOptions {
  guard: StreamGuard;
  log: Log;
  headers: Record<string, string>;
  /** Default 200. */
  status?: 200 | 206;
  /** Bytes buffered for a client that reads slowly. */
  aheadBytes: number;
}

/**
 * A generator of text or bytes as the answer's body, at the pace at which the client reads. A
 * generator that throws breaks the connection, so that nobody mistakes the part for the whole.
 */
export function streamAnswer(
  c: Context,
  chunks: AsyncGenerator<string | Uint8Array>,
  { guard, log, headers, status = 200, aheadBytes }: StreamAnswerOptions,
): Response {
  if (c.req.method === "HEAD") {
    guard.end();
    void chunks.return(undefined);
    return c.body(null, status, headers);
  }
  const encoder = new TextEncoder();
  // A connection that does not drain never sees an error in its stream.
  const outgoing = (c.env as { outgoing?: ServerResponse } | undefined)?.outgoing;
  guard.gone.addEventListener("abort", () => outgoing?.destroy(), { once: true });
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        guard.moved();
        try {
          const { done, value } = await chunks.next();
          if (guard.gone.aborted) controller.error(guard.gone.reason);
          else if (done === true) {
            guard.end();
            controller.close();
          } else controller.enqueue(typeof value === "string" ? encoder.encode(value) : value);
        } catch (error) {
          guard.end();
          if (!(error instanceof AppError))
            log.error({ err: error, path: c.req.path }, "a stream failed");
          controller.error(error);
        }
      },
      async cancel() {
        guard.giveUp(new AppError("cancelled", "The client closed the connection"));
        await chunks.return(undefined);
      },
    },
    new ByteLengthQueuingStrategy({ highWaterMark: aheadBytes }),
  );
  // Nginx would buffer the lines
  return c.body(body, status, { ...headers, "X-Accel-Buffering": "no" });
}
