import type { Server } from "node:http";
import type { Config } from "../config.js";
import type { Log } from "../log.js";
import { sparseWarnings } from "../sparse-warnings.js";
import type { OpenConnection, OpenConnections } from "./open-connections.js";

type Limits = Pick<Config, "requestTimeoutMs" | "maxAnswerBytes">;

/** As many of the largest answers wait to be read at once. */
const answersAtOnce = 16;

/**
 * Closes connections whose clients do not read their answers, which would be held forever: those
 * that have read nothing for `requestTimeoutMs`, and, while answers of more than sixteen times
 * `maxAnswerBytes` wait to be read, those that have read nothing for the longest. One that reads
 * slowly may take its time, and so may a stream that has nothing to say.
 *
 * @param limits  those that hold at each look.
 */
export function endStalledAnswers(
  server: Pick<Server, "on">,
  connections: OpenConnections,
  { limits, log, lookEveryMs = 1000 }: { limits: () => Limits; log: Log; lookEveryMs?: number },
): void {
  const warn = sparseWarnings(log);
  const end = (connection: OpenConnection, why: string) => {
    warn({ message: `A connection was closed whose client does not read its answer: ${why}` });
    connections.end(connection);
  };
  const look = () => {
    const { requestTimeoutMs, maxAnswerBytes } = limits();
    connections.look();
    for (const connection of connections)
      if (connections.stalledMs(connection) >= requestTimeoutMs)
        end(connection, `nothing for ${requestTimeoutMs} ms (requestTimeoutMs)`);
    const maxBytes = answersAtOnce * maxAnswerBytes;
    const unread = [...connections].filter(({ socket }) => socket.writableLength > 0);
    let bytes = unread.reduce((sum, { socket }) => sum + socket.writableLength, 0);
    if (bytes <= maxBytes) return;
    for (const connection of unread.sort((a, b) => a.readAt - b.readAt)) {
      if (bytes <= maxBytes) return;
      bytes -= connection.socket.writableLength;
      end(connection, `more than ${maxBytes} bytes wait to be read (16 times maxAnswerBytes)`);
    }
  };
  const timer = setInterval(look, lookEveryMs).unref();
  server.on("close", () => clearInterval(timer));
}
