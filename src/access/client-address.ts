import ipaddr from "ipaddr.js";
import { invalidInput } from "../errors.js";

type Range = [ipaddr.IPv4 | ipaddr.IPv6, number];

/** Proxies trusted to report the client's address: addresses and ranges such as 10.0.0.0/8. */
export function parseProxies(names: readonly string[]): Range[] {
  return names.map((name) => {
    try {
      if (name.includes("/")) return ipaddr.parseCIDR(name);
      const address = ipaddr.process(name);
      return [address, address.kind() === "ipv4" ? 32 : 128];
    } catch (cause) {
      const message = `Expected addresses or ranges such as 10.0.0.0/8 but received "${name}"`;
      throw invalidInput("trustedProxies", message, cause);
    }
  });
}

/**
 * The address of the client: that of the connection, or, where a trusted proxy holds the
 * connection, the last one in `X-Forwarded-For` that is not a trusted proxy. Earlier entries were
 * written by the client itself.
 */
export function clientAddress(
  connection: string,
  forwardedFor: string | undefined,
  proxies: readonly Range[],
): string {
  let address = normalized(connection) ?? connection;
  const hops = forwardedFor?.split(",").map((hop) => hop.trim()) ?? [];
  while (isTrusted(address, proxies) && hops.length > 0) {
    const hop = normalized(withoutPort(hops.pop() ?? ""));
    if (hop === undefined) break;
    address = hop;
  }
  return address;
}

/**
 * What requests are counted by: the address, or the /64 of IPv6, which is the least that one
 * customer has. Anybody there could use as many addresses as needed.
 */
export function networkOf(address: string): string {
  if (!ipaddr.IPv6.isValid(address)) return address;
  const { parts } = ipaddr.IPv6.parse(address);
  return `${new ipaddr.IPv6([...parts.slice(0, 4), 0, 0, 0, 0])}/64`;
}

/** Whether an address is that of a trusted proxy. */
export function isTrusted(text: string, proxies: readonly Range[]): boolean {
  if (!ipaddr.isValid(text)) return false;
  const address = ipaddr.process(text);
  return proxies.some(([range, bits]) => {
    if (address.kind() !== range.kind()) return false;
    return (address as ipaddr.IPv4).match(range as ipaddr.IPv4, bits);
  });
}

/** Whether a normalized address is one of this machine itself. */
export const isLoopback = (address: string): boolean =>
  ipaddr.parse(address).range() === "loopback";

/**
 * IPv4 in IPv6 as IPv4, and IPv6 in its shortest form; undefined for anything that is not an
 * address.
 */
export function normalized(text: string): string | undefined {
  return ipaddr.isValid(text) ? ipaddr.process(text).toString() : undefined;
}

/** `192.0.2.1:4711` and `[2001:db8::1]:4711`, as some proxies write. */
function withoutPort(hop: string): string {
  return /^\[(.*)\](:\d+)?$/.exec(hop)?.[1] ?? /^([\d.]+):\d+$/.exec(hop)?.[1] ?? hop;
}
