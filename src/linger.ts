import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";

/** A client that sends nothing for this long has read its answer, or is gone. */
const idleMs = 2000;
/** One that sends for longer than this after its answer is cut off. */
const maxLingerMs = 30_000;

/**
 * Lets clients read an answer that is sent before their whole request has arrived, such as the
 * refusal of a large body. Closing a connection while bytes arrive makes the system reset it, and
 * the client loses the answer; many clients send everything before they read. So the rest is read
 * and discarded, and the connection is closed afterwards.
 */
export function lingerAfterAnswers(server: Pick<Server, "on">): void {
  server.on("request", (request: IncomingMessage, response: ServerResponse) => {
    const { socket } = request;
    const { destroySoon }: Socket = Object.getPrototypeOf(socket);
    response.once("finish", () => {
      // The web stream over a partly read body pauses the request at each piece.
      request.removeAllListeners("data");
      request.resume();
    });
    socket.destroySoon = () => {
      if (request.complete || socket.destroyed) return destroySoon.call(socket);
      const end = performance.now() + maxLingerMs;
      let read = socket.bytesRead;
      const timer = setInterval(() => {
        if (socket.bytesRead === read || performance.now() > end) close();
        read = socket.bytesRead;
      }, idleMs).unref();
      const close = () => {
        clearInterval(timer);
        destroySoon.call(socket);
      };
      request.once("end", close);
      request.once("close", close);
      request.resume();
      return socket;
    };
  });
}
