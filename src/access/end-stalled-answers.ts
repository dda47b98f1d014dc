import type { Server } from "node:http";
import type { Config } from "../config.js";
import type { Log } from "../log.js";
import { sparseWarnings } from "../sparse-warnings.js";
import type { OpenConnection, OpenConnections } from "./open-connections.js";

type Limits = Pick<Config, "requestTimeoutMs" | "maxAnswerBytes">;

/** As many of the largest answers wait to be read at once. */
const answersAtOnce = 16;

/**
 * The system takes an answer in steps of about a megabyte: in five seconds a client that reads
 * 100 kB in each would seem to have read nothing.
 */
const leastStallMs = 60_000;

/**
 * Closes connections whose clients do not read their answers, which would be held forever: those
 * that have read nothing for `requestTimeoutMs`, or a minute if that is longer; and, while answers
 * of more than sixteen times `maxAnswerBytes` wait to be read, those with the most unread, first of
 * those that have read nothing for ten seconds. Until then one may read slowly, and a stream may
 * have nothing to say.
 *
 * @param limits  those that hold at each look.
 */
export function endStalledAnswers(
  server: Pick<Server, "on">,
  connections: OpenConnections,
  { limits, log }: { limits: () => Limits; log: Log },
): void {
  const warn = sparseWarnings(log);
  const end = (connection: OpenConnection, why: string) => {
    warn({ message: `A connection was closed whose client does not read its answer: ${why}` });
    connections.end(connection);
  };
  const look = () => {
    const { requestTimeoutMs, maxAnswerBytes } = limits();
    const stallMs = Math.max(requestTimeoutMs, leastStallMs);
    connections.look();
    for (const connection of connections)
      if (connections.stalledMs(connection) >= stallMs)
        end(connection, `nothing for ${stallMs} ms (requestTimeoutMs, or a minute)`);
    const maxBytes = answersAtOnce * maxAnswerBytes;
    const unread = [...connections].filter(({ socket }) => socket.writableLength > 0);
    let bytes = unread.reduce((sum, { socket }) => sum + socket.writableLength, 0);
    if (bytes <= maxBytes) return;
    const isGivenUp = (connection: OpenConnection) => Number(connections.isGivenUp(connection));
    unread.sort(
      (a, b) => isGivenUp(b) - isGivenUp(a) || b.socket.writableLength - a.socket.writableLength,
    );
    for (const connection of unread) {
      if (bytes <= maxBytes) return;
      bytes -= connection.socket.writableLength;
      end(connection, `more than ${maxBytes} bytes wait to be read (16 times maxAnswerBytes)`);
    }
  };
  const timer = setInterval(look, 1000).unref();
  server.on("close", () => clearInterval(timer));
}
