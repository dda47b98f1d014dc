import type { LineStatus } from "../wire/items.js";
import { inlined } from "./body.js";
import { ApiError, ConnectionError } from "./errors.js";
import { valuesOf } from "./lines.js";
import { Pieces } from "./pieces.js";
import type { Send } from "./send.js";

export interface StreamOptions {
  signal?: AbortSignal;
  /** When it aborts, nothing more is sent; statuses of sent items still arrive. */
  stop?: AbortSignal;
  /**
   * After a source has been silent this long, its next items go in a new request: servers cut idle
   * ones.
   */
  idleMs?: number;
  /**
   * Whether one request may send while its answer is read. Node can; browsers cannot over HTTP/1.1,
   * and send requests of about a megabyte one after the other, which are also repeated after 429
   * and 503.
   */
  duplex?: boolean;
}

const isNode = () =>
  (globalThis as { process?: { versions?: { node?: string } } }).process?.versions?.node !==
  undefined;

/** Bytes of a request that is not a stream. */
const maxPieceBytes = 2 ** 20;

/**
 * Sends lines of NDJSON to a route that adds items, no faster than they are stored, and gives a
 * status for each line in order. The source is asked for more only while there is room for it.
 * @param lines  pieces that end with a line.
 * @throws ApiError for a failure of the whole stream, ConnectionError when it breaks off: what was
 *   reported as stored is safe. Errors of the source are rethrown unchanged.
 */
export async function* sendLines(
  send: Send,
  path: string,
  lines: AsyncIterable<Uint8Array>,
  { signal, stop, duplex = isNode(), idleMs = duplex ? 20_000 : 1000 }: StreamOptions = {},
): AsyncGenerator<LineStatus> {
  const ends = [signal, stop].filter((one) => one !== undefined);
  const pieces = new Pieces(lines, AbortSignal.any(ends));
  try {
    while (await pieces.hasMore()) {
      const linesBefore = pieces.linesSent;
      const body = duplex
        ? pieces.body(idleMs)
        : await new Response(pieces.body(idleMs, maxPieceBytes)).blob();
      const headers = { "content-type": "application/x-ndjson" };
      const response = await send(path, { method: "POST", headers, body, signal });
      for await (const status of valuesOf<LineStatus>(response, signal)) {
        if (status.status === "stored") yield status;
        // A failure without a line is one of the whole stream: nothing after it was stored.
        else if (status.line === undefined)
          throw new ApiError(status.error.message, { status: response.status, ...status.error });
        else yield { ...status, line: linesBefore + status.line };
      }
      if (!pieces.bodyEnded)
        throw new ConnectionError("The server answered before it had read all items");
    }
    signal?.throwIfAborted();
  } catch (error) {
    signal?.throwIfAborted();
    throw pieces.failure === undefined ? error : pieces.failure.error;
  } finally {
    pieces.release();
  }
}

/** Items as lines; files in them become base64. */
export async function* linesOfItems(
  items: Iterable<unknown> | AsyncIterable<unknown>,
): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder();
  for await (const item of items) yield encoder.encode(`${JSON.stringify(await inlined(item))}\n`);
}
