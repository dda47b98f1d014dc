import { EventEmitter, once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { type AddressInfo, connect as connectPlain, type Socket } from "node:net";
import { connect as connectSecurely } from "node:tls";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { endStalledAnswers } from "../../src/access/end-stalled-answers.js";
import { OpenConnections } from "../../src/access/open-connections.js";
import type { Log } from "../../src/log.js";
import { certificates } from "../helpers/certificates.js";
import { FakeSocket } from "../helpers/fake-socket.js";

// Larger than what the system takes of an answer that nobody reads: some 10 MB on Linux.
const large = Buffer.alloc(30 * 2 ** 20, "x");

let now = 0;
const warn = vi.fn();
const log = { warn } as unknown as Log;
beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
});
afterEach(() => {
  vi.useRealTimers();
  warn.mockClear();
});

/** The clients have so much time, at whose end is a look at them. */
function pass(ms: number): void {
  now += ms;
  vi.advanceTimersByTime(1000);
}

const messages = () => warn.mock.calls.map(([, message]) => message);

describe.each([{ tls: false }, { tls: true }])("endStalledAnswers, %j", ({ tls }) => {
  let server: Server;
  let clients: Socket[] = [];
  afterEach(() => {
    for (const client of clients) client.destroy();
    clients = [];
    server.closeAllConnections();
    server.close();
  });

  async function listen(answer: RequestListener) {
    server = tls ? createSecureServer(certificates[0], answer) : createServer(answer);
    const connections = new OpenConnections(server, { now: () => now });
    const limits = () => ({ requestTimeoutMs: 90_000, maxAnswerBytes: 2 ** 30 });
    endStalledAnswers(server, connections, { limits, log });
    await once(server.listen(0, "127.0.0.1"), "listening");
    const { port } = server.address() as AddressInfo;
    const get = (path = "/") => {
      const to = { port, host: "127.0.0.1" };
      const client = tls ? connectSecurely({ ...to, rejectUnauthorized: false }) : connectPlain(to);
      client.on("error", () => undefined).pause();
      client.write(`GET ${path} HTTP/1.1\r\nhost: x\r\n\r\n`);
      clients.push(client);
      return client;
    };
    return { connections, get };
  }

  /** Reads to the end of the connection. */
  async function bytesOf(client: Socket, onPiece = (_: Buffer) => {}) {
    let bytes = 0;
    client.on("data", (piece) => {
      bytes += piece.length;
      if (bytes >= large.length) client.destroy();
      onPiece(piece);
    });
    client.resume();
    await once(client, "close");
    return bytes;
  }

  it("ends an answer of which nothing is read, and no stream that has nothing to say", async () => {
    const quiet: (() => void)[] = [];
    const { connections, get } = await listen(({ url }, response) => {
      if (url !== "/quiet") return response.end(large);
      response.write("first");
      quiet.push(() => response.end("last"));
    });
    const stream = get("/quiet");
    const [unread, read] = [get(), get()];
    expect(await bytesOf(read)).toBeGreaterThanOrEqual(large.length);
    await expect
      .poll(() => {
        pass(45_000); // until the system has taken all that it takes, and the limit after that
        return messages();
      })
      .toEqual([expect.stringContaining("nothing for 90000 ms (requestTimeoutMs, or a minute)")]);
    expect(await bytesOf(unread)).toBeLessThan(large.length);
    await expect.poll(() => connections.count).toBe(1);
    quiet[0]();
    let text = "";
    stream.on("data", (piece) => (text += piece)).resume();
    await expect.poll(() => text).toContain("last");
  });

  it("lets a client take longer than the limit that reads slowly all the time", async () => {
    const { get } = await listen((_, response) => response.end(large));
    const client = get();
    const bytes = await bytesOf(client, ({ length }) => {
      pass(length / 100); // 100 kB a second, so 300 s
      client.pause();
      setImmediate(() => client.resume()); // the server has its turn
    });
    expect(bytes).toBeGreaterThanOrEqual(large.length);
    expect(messages()).toEqual([]);
  });
});

describe("endStalledAnswers", () => {
  let limits = { requestTimeoutMs: 120_000, maxAnswerBytes: 2 ** 30 };
  let server: EventEmitter;

  function start({ showsProgress = true } = {}): void {
    server = new EventEmitter();
    const options = { now: () => now, showsProgress };
    const connections = new OpenConnections(server as unknown as Server, options);
    endStalledAnswers(server as unknown as Server, connections, { limits: () => limits, log });
  }

  /** Connections with so many bytes that wait to be read. */
  function ask(...unread: number[]): FakeSocket[] {
    return unread.map((bytes) => {
      const socket = new FakeSocket("192.0.2.1");
      server.emit("connection", socket);
      socket.ask(server).writes(bytes);
      return socket;
    });
  }

  const open = (sockets: readonly FakeSocket[]) => sockets.map(({ isOpen }) => isOpen);

  it("lets a step of the system take a minute, however short requests must be", () => {
    limits = { requestTimeoutMs: 5000, maxAnswerBytes: 2 ** 30 };
    start();
    const sockets = ask(9_000_000, 9_000_000);
    pass(1000);
    for (let step = 0; step < 8; step++) {
      pass(10_000);
      sockets[0].reads(1_000_000);
      pass(0);
    }
    expect(open(sockets)).toEqual([true, false]);
    expect(messages()).toEqual([expect.stringContaining("nothing for 60000 ms")]);
  });

  it("ends none for its time where the system does not say how far a write is", () => {
    limits = { requestTimeoutMs: 5000, maxAnswerBytes: 1000 };
    start({ showsProgress: false });
    const sockets = ask(9000, 1000);
    pass(1000);
    pass(600_000);
    expect(open(sockets)).toEqual([true, true]);
    sockets.push(...ask(7000));
    pass(1000);
    expect(open(sockets)).toEqual([false, true, true]);
    expect(messages()).toEqual([expect.stringContaining("more than 16000 bytes")]);
  });

  it("holds sixteen of the largest answers, and ends the stalled, then the largest", () => {
    limits = { requestTimeoutMs: 120_000, maxAnswerBytes: 1000 };
    start();
    const sockets = ask(5000, 5000, 4000, 2000); // the longest open reads
    pass(1000);
    pass(11_000);
    for (const i of [0, 2]) sockets[i].reads(100);
    pass(0);
    expect(open(sockets)).toEqual([true, true, true, true]);
    sockets.push(...ask(9000));
    pass(1000); // 24.8 kB
    expect(open(sockets)).toEqual([true, false, true, false, false]);
  });
});
