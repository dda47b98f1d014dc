import type { Server } from "node:http";
import type { Socket } from "node:net";
import type { Config } from "../config.js";
import type { Log } from "../log.js";
import { sparseWarnings } from "../sparse-warnings.js";
import { isLoopback, isTrusted, parseProxies } from "./client-address.js";
import type { OpenConnection, OpenConnections } from "./open-connections.js";

type Limits = Pick<Config, "maxConnections" | "maxConnectionsPerAddress" | "trustedProxies">;

/**
 * Keeps to `maxConnections`, and to `maxConnectionsPerAddress` of one address (or /64 of IPv6),
 * whatever they are doing: one that has sent nothing yet counts too. For a new one, another is
 * closed that asks for nothing or does not read its answer, of whoever has the most; without such
 * a one, the new one is closed. Those of a trusted proxy are its clients' and are limited together
 * only; so are those of this machine, where a proxy speaks for everyone and any other program could
 * do worse.
 *
 * @param limits  those that hold when a connection comes.
 */
export function limitConnections(
  server: Pick<Server, "on">,
  connections: OpenConnections,
  { limits, log }: { limits: () => Limits; log: Log },
): void {
  const warn = sparseWarnings(log);
  const makeRoom = (added: OpenConnection, network: string | undefined, full: string) => {
    const idlest = connections.idlest(network) ?? added;
    const closed = idlest === added ? "A new connection" : "An idle connection";
    warn({ message: `${closed} was closed: ${full}` });
    connections.end(idlest);
  };
  server.on("connection", (socket: Socket) => {
    const added = connections.of(socket);
    if (added === undefined) return; // it is closed already
    const { maxConnections, maxConnectionsPerAddress: maxOfOne, trustedProxies } = limits();
    const { address, network } = added;
    const ofOne = connections.countOf(network);
    const isLimited = () =>
      !isLoopback(address) && !isTrusted(address, parseProxies(trustedProxies));
    if (maxOfOne > 0 && ofOne > maxOfOne && isLimited()) {
      const advice = "if that is a proxy, name it in trustedProxies";
      makeRoom(
        added,
        network,
        `${maxOfOne} from ${network} are open (maxConnectionsPerAddress); ${advice}`,
      );
    } else if (maxConnections > 0 && connections.count > maxConnections)
      makeRoom(added, undefined, `${maxConnections} are open (maxConnections)`);
  });
}
