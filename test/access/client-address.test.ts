import { describe, expect, it } from "vitest";
import { clientAddress, networkOf, parseProxies } from "../../src/access/client-address.js";

const proxies = parseProxies(["10.0.0.0/8", "::1"]);

describe("the address of a client", () => {
  it.each([
    ["of the connection", "192.0.2.7", undefined, "192.0.2.7"],
    ["of the connection, whatever a stranger claims", "192.0.2.7", "198.51.100.1", "192.0.2.7"],
    ["that a trusted proxy names", "10.0.0.1", "198.51.100.1", "198.51.100.1"],
    [
      "the last that no proxy has, not what the client wrote first",
      "10.0.0.1",
      "1.1.1.1, 198.51.100.1, 10.2.0.9",
      "198.51.100.1",
    ],
    ["of a proxy that names none", "10.0.0.1", undefined, "10.0.0.1"],
    ["of the proxy before something that is not an address", "10.0.0.1", "unknown", "10.0.0.1"],
    ["behind proxies alone, the first of them", "::1", "10.0.0.3, 10.0.0.2", "10.0.0.3"],
    ["IPv4 in IPv6 as IPv4", "::ffff:10.0.0.1", "[2001:db8::1]:4711", "2001:db8::1"],
    ["with a port", "10.0.0.1", "198.51.100.1:80", "198.51.100.1"],
  ])("is the one %s", (_, connection, forwarded, expected) => {
    expect(clientAddress(connection, forwarded, proxies)).toBe(expected);
  });

  it.each([
    ["198.51.100.1", "198.51.100.1"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
    ["2001:db8:1:2::", "2001:db8:1:2::/64"],
    ["unknown", "unknown"],
  ])("counts by the network that one customer has: %s by %s", (address, network) => {
    expect(networkOf(address)).toBe(network);
  });

  it("is not taken from proxies that are not addresses", () => {
    expect(() => parseProxies(["proxy.example"])).toThrow('but received "proxy.example"');
    expect(() => parseProxies(["10.0.0.0/99"])).toThrow("10.0.0.0/99");
  });
});
