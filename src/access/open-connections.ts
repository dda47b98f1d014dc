import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { networkOf, normalized } from "./client-address.js";

/** A client that has read nothing of its answer for this long may have to give way to others. */
const givenUpMs = 10_000;

/** A connection, and what its client does. */
export interface OpenConnection {
  key: string;
  /** Of TCP. */
  raw: Socket;
  /** That, or the one of TLS on it. */
  socket: Socket;
  address: string;
  /** The address, or the /64 of IPv6. */
  network: string;
  /** Requests whose answers are not sent yet. */
  underWay: number;
  /** When it last asked for something or got the end of an answer, in milliseconds. */
  movedAt: number;
  /** When it had last read all that there was, or a part of it. */
  readAt: number;
  /** Bytes of answers that the system has taken. */
  taken: number;
}

/** Watches the connections of a server. */
export class OpenConnections implements Iterable<OpenConnection> {
  readonly #now: () => number;
  readonly #showsProgress: boolean;
  readonly #open = new Map<string, OpenConnection>();
  readonly #ofNetwork = new Map<string, number>();

  /**
   * @param now  milliseconds; a parameter so that tests control the time.
   * @param showsProgress  whether the system says how far it is within one write. Windows does not:
   *   an answer of many megabytes would pass for unread until its end, and so none does there.
   */
  constructor(
    server: Pick<Server, "on">,
    { now = () => performance.now(), showsProgress = process.platform !== "win32" } = {},
  ) {
    this.#now = now;
    this.#showsProgress = showsProgress;
    server.on("connection", (socket: Socket) => this.#add(socket));
    server.on("secureConnection", (socket: Socket) => {
      const connection = this.of(socket);
      if (connection !== undefined) connection.socket = socket;
    });
    server.on("request", ({ socket }: IncomingMessage, response: ServerResponse) => {
      const connection = this.of(socket);
      if (connection === undefined) return;
      connection.underWay++;
      connection.movedAt = this.#now();
      response.once("close", () => {
        connection.underWay--;
        connection.movedAt = this.#now();
      });
    });
  }

  [Symbol.iterator](): Iterator<OpenConnection> {
    return this.#open.values();
  }

  get count(): number {
    return this.#open.size;
  }

  of(socket: Socket): OpenConnection | undefined {
    return this.#open.get(keyOf(socket));
  }

  countOf(network: string): number {
    return this.#ofNetwork.get(network) ?? 0;
  }

  /** Looks whether clients read, for what the methods below say; to be called often. */
  look(): void {
    for (const connection of this) {
      const taken = takenBytes(connection.raw);
      const isRead = taken !== connection.taken || connection.socket.writableLength === 0;
      if (isRead || !this.#showsProgress) connection.readAt = this.#now();
      connection.taken = taken;
    }
  }

  /** Milliseconds for which the client has read nothing, although there is something. */
  stalledMs({ readAt }: OpenConnection): number {
    return this.#now() - readAt;
  }

  /** Whether it may have to give way to others, as of the last look. */
  isGivenUp(connection: OpenConnection): boolean {
    return this.stalledMs(connection) >= givenUpMs;
  }

  /**
   * The one whose end costs least: of the network with the most connections, the one that has
   * asked for nothing, or has not read its answer, for the longest.
   */
  idlest(network?: string): OpenConnection | undefined {
    this.look();
    let found: { connection: OpenConnection; others: number; since: number } | undefined;
    for (const connection of this) {
      const { underWay, movedAt, readAt } = connection;
      if (network !== undefined && connection.network !== network) continue;
      if (underWay > 0 && !this.isGivenUp(connection)) continue;
      const others = this.countOf(connection.network);
      const since = underWay === 0 ? movedAt : readAt;
      const isBetter =
        found === undefined ||
        others > found.others ||
        (others === found.others && since < found.since);
      if (isBetter) found = { connection, others, since };
    }
    return found?.connection;
  }

  /** Closes one, which counts no longer from now on. */
  end(connection: OpenConnection): void {
    this.#forget(connection);
    connection.socket.destroy();
  }

  #add(socket: Socket): void {
    const address = normalized(socket.remoteAddress ?? "");
    if (address === undefined) return; // it is closed already
    const network = networkOf(address);
    const key = keyOf(socket);
    const now = this.#now();
    const unused = { underWay: 0, movedAt: now, readAt: now, taken: 0 };
    const connection = { key, raw: socket, socket, address, network, ...unused };
    this.#open.set(key, connection);
    this.#ofNetwork.set(network, this.countOf(network) + 1);
    socket.once("close", () => this.#forget(connection));
  }

  #forget(connection: OpenConnection): void {
    const { key, network } = connection;
    if (this.#open.get(key) !== connection) return; // a port may be in use again
    this.#open.delete(key);
    const left = this.countOf(network) - 1;
    if (left === 0) this.#ofNetwork.delete(network);
    else this.#ofNetwork.set(network, left);
  }
}

/** The same for a connection and for the TLS socket on it. */
const keyOf = ({ remoteAddress, remotePort }: Socket) => `${remoteAddress} ${remotePort}`;

/**
 * Bytes that the system has taken, which it does as the client reads. A whole answer is one write,
 * and how far that is only its handle says; Node's own timeouts ask it too, but not below TLS.
 */
function takenBytes(raw: Socket): number {
  const { _handle: handle } = raw as { _handle?: Partial<Handle> | null };
  return (handle?.bytesWritten ?? 0) - (handle?.writeQueueSize ?? 0);
}

interface Handle {
  bytesWritten: number;
  writeQueueSize: number;
}
