import type { IncomingMessage } from "node:http";
import { finished } from "node:stream";
import { setImmediate } from "node:timers/promises";

/** Bytes that are read ahead. */
const aheadBytes = 2 ** 16;

/**
 * A body in chunks, as a stream of all that has arrived since the last look. One packet may bring
 * ten thousand chunks of a byte, and each would cost a stream of the Web 12 µs and some 200 bytes.
 * Half a megabyte of them takes 2.9 s so, and 6.2 s otherwise; beside it, /health/live 169 ms and
 * 420 ms. Most of what is left is Node's own work for each chunk.
 */
export function arrivingBody(incoming: IncomingMessage): ReadableStream<Uint8Array> {
  let pieces: Buffer[] = [];
  let bytes = 0;
  let end: { error: unknown } | undefined;
  let wake = () => {};
  const onData = (piece: Buffer) => {
    pieces.push(piece);
    bytes += piece.length;
    if (bytes >= aheadBytes) incoming.pause();
    wake();
  };
  const forget = finished(incoming, { writable: false }, (error) => {
    end = { error };
    wake();
  });
  incoming.on("data", onData);
  const pull = async (controller: ReadableStreamDefaultController<Uint8Array>) => {
    while (bytes === 0 && end === undefined)
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    // Node lets promises go on after each chunk of a packet
    if (bytes < aheadBytes && end === undefined) await setImmediate();
    if (bytes > 0) {
      const arrived = pieces.length === 1 ? pieces[0] : Buffer.concat(pieces, bytes);
      pieces = [];
      bytes = 0;
      incoming.resume();
      controller.enqueue(arrived);
    } else if (end?.error) controller.error(end.error);
    else controller.close();
  };
  const cancel = () => {
    incoming.off("data", onData); // the rest may be discarded: see linger.ts
    forget();
    end = { error: undefined };
    wake();
  };
  return new ReadableStream({ pull, cancel }, { highWaterMark: 0 });
}
