import type { Socket } from "node:net";
import type { Log } from "./log.js";
import { sparseWarnings } from "./sparse-warnings.js";

/** Requests of a connection that wait for the one before them; no client sends so many ahead. */
const maxWaiting = 100;

interface Bindings {
  incoming: { socket: Socket };
  outgoing: { once(event: "close", listener: () => void): unknown };
}
type Fetch<E> = (request: Request, env: E) => Response | Promise<Response>;

/**
 * Answers the requests of a connection one after another. A client may send the next ones before it
 * has an answer (pipelining), and Node hands over all of them at once: a few connections with
 * hundreds of requests each would be worked on before anybody else's.
 */
export function inTurn<E extends Bindings>(fetch: Fetch<E>, log: Log): Fetch<E> {
  const warn = sparseWarnings(log);
  const connections = new WeakMap<Socket, { isBusy: boolean; waiting: (() => void)[] }>();
  const connectionOf = (socket: Socket) => {
    const known = connections.get(socket);
    if (known !== undefined) return known;
    const connection = { isBusy: false, waiting: [] as (() => void)[] };
    connections.set(socket, connection);
    socket.once("close", () => {
      for (const next of connection.waiting.splice(0)) next();
    });
    return connection;
  };
  return (request, env) => {
    const { socket } = env.incoming;
    const connection = connectionOf(socket);
    const { waiting } = connection;
    if (connection.isBusy && waiting.length >= maxWaiting) {
      if (!socket.destroyed)
        warn({ message: `A connection was closed: ${maxWaiting} of its requests were waiting` });
      socket.destroy();
      return unread();
    }
    env.outgoing.once("close", () => {
      const next = waiting.shift();
      if (next === undefined) connection.isBusy = false;
      else setImmediate(next); // at once, it would come before what others have just sent
    });
    if (!connection.isBusy) {
      connection.isBusy = true;
      return fetch(request, env);
    }
    return new Promise<void>((resolve) => waiting.push(resolve)).then(() =>
      socket.destroyed ? unread() : fetch(request, env),
    );
  };
}

/** Nobody reads it: the connection is closed. */
const unread = () => new Response(null, { status: 400 });
