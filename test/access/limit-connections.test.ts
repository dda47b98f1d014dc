import { EventEmitter, once } from "node:events";
import type { Server } from "node:http";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { limitConnections } from "../../src/access/limit-connections.js";
import { OpenConnections } from "../../src/access/open-connections.js";
import type { Log } from "../../src/log.js";
import { FakeSocket } from "../helpers/fake-socket.js";

let now = 0;
let server: EventEmitter;
let connections: OpenConnections;
let limits: { maxConnections: number; maxConnectionsPerAddress: number; trustedProxies: string[] };
const warn = vi.fn();

beforeEach(() => {
  warn.mockClear();
  limits = { maxConnections: 0, maxConnectionsPerAddress: 2, trustedProxies: [] };
  server = new EventEmitter();
  connections = new OpenConnections(server as unknown as Server, {
    now: () => now++,
    showsProgress: true,
  });
  const log = { warn } as unknown as Log;
  limitConnections(server as unknown as Server, connections, { limits: () => limits, log });
});

const open = (sockets: readonly FakeSocket[]) => sockets.map(({ isOpen }) => isOpen);

/** Connections that have sent nothing. */
function openIdle(...addresses: (string | undefined)[]): FakeSocket[] {
  return addresses.map((address) => {
    const socket = new FakeSocket(address);
    server.emit("connection", socket);
    return socket;
  });
}

/** Connections with a request under way, if they were let in. */
function connect(...addresses: (string | undefined)[]): FakeSocket[] {
  return addresses.map((address) => {
    const [socket] = openIdle(address);
    return socket.isOpen ? socket.ask(server) : socket;
  });
}

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

  it("takes another once one has ended; those that were closed do not count", async () => {
    const [first] = connect("192.0.2.1", "192.0.2.1");
    connect("192.0.2.1", "192.0.2.1");
    first.destroy();
    await once(first, "close");
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

  it("closes for a new one the one of its address that has asked for nothing for the longest", () => {
    const sockets = openIdle("192.0.2.1", "192.0.2.1");
    sockets[0].ask(server).answer();
    sockets.push(...openIdle("192.0.2.1", "192.0.2.2"));
    expect(open(sockets)).toEqual([true, false, true, true]);
  });
});

describe("limitConnections, of all together", () => {
  beforeEach(() => {
    limits = { maxConnections: 4, maxConnectionsPerAddress: 0, trustedProxies: [] };
  });

  it("closes new ones while every one is in use", () => {
    const sockets = connect("192.0.2.1", "192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4");
    expect(open(sockets)).toEqual([true, true, true, true, false]);
    expect(warn.mock.calls[0][1]).toBe("A new connection was closed: 4 are open (maxConnections)");
  });

  it("closes an idle one of whoever has the most instead", () => {
    const sockets = openIdle("192.0.2.9", "192.0.2.1", "192.0.2.1", "192.0.2.1", "192.0.2.2");
    expect(open(sockets)).toEqual([true, false, true, true, true]);
  });

  it("closes the new one of whoever has the most, if all of its others are in use", () => {
    const sockets = openIdle("192.0.2.9");
    sockets.push(...connect("192.0.2.1", "192.0.2.1", "192.0.2.1", "192.0.2.1"));
    expect(open(sockets)).toEqual([true, true, true, true, false]);
  });

  it("takes one for idle whose client does not read its answer", () => {
    const sockets = connect("192.0.2.1", "192.0.2.1", "192.0.2.2", "192.0.2.3");
    for (const socket of sockets.slice(0, 2)) socket.writes(9);
    connections.look();
    now += 60_000;
    sockets[0].reads(3);
    sockets[1].writes(1000);
    connections.look();
    sockets.push(...connect("192.0.2.4", "192.0.2.5"));
    expect(open(sockets)).toEqual([true, false, true, true, true, false]);
  });

  it("does not take for idle whoever has read since the last look", () => {
    const [socket, ...others] = connect("192.0.2.1", "192.0.2.1", "192.0.2.2", "192.0.2.3");
    socket.writes(9000);
    connections.look();
    now += 60_000;
    socket.reads(3000);
    const [added] = connect("192.0.2.4");
    expect(open([socket, ...others, added])).toEqual([true, true, true, true, false]);
  });

  it("counts one no longer that it has closed, before the system has", () => {
    const sockets = openIdle("192.0.2.1", "192.0.2.1", "192.0.2.1", "192.0.2.1");
    sockets.push(...openIdle("192.0.2.2", "192.0.2.2"));
    expect(open(sockets)).toEqual([false, false, true, true, true, true]);
    expect(connections.count).toBe(4);
  });
});
