import { EventEmitter } from "node:events";
import type { Server } from "node:net";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { limitConnections } from "../../src/access/limit-connections.js";
import type { Log } from "../../src/log.js";

/** A connection of a server without a port. */
class FakeSocket extends EventEmitter {
  isOpen = true;
  readonly remoteAddress: string | undefined;
  constructor(remoteAddress: string | undefined) {
    super();
    this.remoteAddress = remoteAddress;
  }
  destroy(): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.emit("close");
  }
}

let server: EventEmitter & { maxConnections: number };
let limits: { maxConnections: number; maxConnectionsPerAddress: number; trustedProxies: string[] };
const warn = vi.fn();

beforeEach(() => {
  warn.mockClear();
  limits = { maxConnections: 0, maxConnectionsPerAddress: 2, trustedProxies: [] };
  server = Object.assign(new EventEmitter(), { maxConnections: 0 });
  limitConnections(server as unknown as Server, () => limits, { warn } as unknown as Log);
});

function connect(...addresses: (string | undefined)[]): FakeSocket[] {
  return addresses.map((address) => {
    const socket = new FakeSocket(address);
    server.emit("connection", socket);
    return socket;
  });
}
const open = (sockets: readonly FakeSocket[]) => sockets.map(({ isOpen }) => isOpen);

describe("limitConnections", () => {
  it("closes those of an address beyond its limit, and no other's", () => {
    const sockets = connect("192.0.2.1", "192.0.2.1", "192.0.2.1", "::ffff:192.0.2.1", "192.0.2.2");
    expect(open(sockets)).toEqual([true, true, false, false, true]);
    expect(warn.mock.calls).toEqual([
      [
        {},
        "A new connection was closed: 2 from 192.0.2.1 are open (maxConnectionsPerAddress); " +
          "if that is a proxy, name it in trustedProxies",
      ],
    ]);
  });

  it("does not limit those of this machine: a proxy there speaks for all its users", () => {
    const sockets = connect("127.0.0.1", "127.0.0.1", "127.0.0.1", "::ffff:127.0.0.1", "127.0.0.2");
    expect(open([...sockets, ...connect("::1", "::1", "::1")])).not.toContain(false);
  });

  it("takes another once one has ended; those that were closed do not count", () => {
    const [first] = connect("192.0.2.1", "192.0.2.1");
    connect("192.0.2.1", "192.0.2.1");
    first.destroy();
    expect(open(connect("192.0.2.1", "192.0.2.1"))).toEqual([true, false]);
  });

  it("counts a /64 of IPv6 as one", () => {
    const sockets = connect("2001:db8::1", "2001:db8::2", "2001:db8::3", "2001:db8:0:1::1");
    expect(open(sockets)).toEqual([true, true, false, true]);
  });

  it("does not limit trusted proxies", () => {
    limits.trustedProxies = ["10.0.0.0/8"];
    expect(open(connect("10.1.2.3", "10.1.2.3", "::ffff:10.1.2.3"))).toEqual([true, true, true]);
  });

  it("follows a reload; 0 is unlimited", () => {
    expect(open(connect("192.0.2.1", "192.0.2.1", "192.0.2.1"))).toEqual([true, true, false]);
    limits.maxConnectionsPerAddress = 0;
    expect(open(connect("192.0.2.1", "192.0.2.1"))).toEqual([true, true]);
    limits.maxConnectionsPerAddress = 5;
    expect(open(connect("192.0.2.1", "192.0.2.1"))).toEqual([true, false]);
  });

  it("leaves a connection alone that was closed before it was looked at", () => {
    expect(open(connect(undefined, undefined, undefined))).toEqual([true, true, true]);
  });
});
