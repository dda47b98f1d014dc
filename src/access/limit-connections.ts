import type { Server, Socket } from "node:net";
import type { Config } from "../config.js";
import type { Log } from "../log.js";
import { sparseWarnings } from "../sparse-warnings.js";
import { isLoopback, isTrusted, networkOf, normalized, parseProxies } from "./client-address.js";

type Limits = Pick<Config, "maxConnections" | "maxConnectionsPerAddress" | "trustedProxies">;

/**
 * Closes connections beyond `maxConnections`, and beyond `maxConnectionsPerAddress` of one address
 * (or /64 of IPv6), whatever they are doing: one that has sent nothing yet counts too. Those of a
 * trusted proxy are its clients' and are limited together only; so are those of this machine, where
 * a proxy speaks for everyone and any other program could do worse.
 *
 * @param limits  those that hold when a connection comes.
 */
export function limitConnections(
  server: Pick<Server, "on" | "maxConnections">,
  limits: () => Limits,
  log: Log,
): void {
  const { maxConnections } = limits();
  const warn = sparseWarnings(log);
  if (maxConnections > 0) {
    server.maxConnections = maxConnections;
    server.on("drop", () => {
      const message = `New connections are closed: ${maxConnections} are open (maxConnections)`;
      warn({ message });
    });
  }
  /** By network: how many are open. */
  const open = new Map<string, number>();
  server.on("connection", (socket: Socket) => {
    const { maxConnectionsPerAddress: max, trustedProxies } = limits();
    const address = normalized(socket.remoteAddress ?? "");
    if (address === undefined) return; // it is closed already
    const network = networkOf(address);
    const count = open.get(network) ?? 0;
    const isLimited = () =>
      !isLoopback(address) && !isTrusted(address, parseProxies(trustedProxies));
    if (max > 0 && count >= max && isLimited()) {
      const why = `${count} from ${network} are open (maxConnectionsPerAddress)`;
      const advice = "if that is a proxy, name it in trustedProxies";
      warn({ message: `A new connection was closed: ${why}; ${advice}` });
      socket.destroy();
      return;
    }
    open.set(network, count + 1);
    socket.once("close", () => {
      const left = open.get(network)! - 1;
      if (left === 0) open.delete(network);
      else open.set(network, left);
    });
  });
}
