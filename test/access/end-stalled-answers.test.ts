import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { type AddressInfo, connect as connectPlain, type Socket } from "node:net";
import { connect as connectSecurely } from "node:tls";
import { afterEach, describe, expect, it, vi } from "vitest";
import { endStalledAnswers } from "../../src/access/end-stalled-answers.js";
import { OpenConnections } from "../../src/access/open-connections.js";
import type { Log } from "../../src/log.js";
import { certificates } from "../helpers/certificates.js";

// Larger than what the system takes of an answer that nobody reads: some 10 MB on Linux.
const large = Buffer.alloc(30 * 2 ** 20, "x");

let server: Server;
let clients: Socket[] = [];
const warn = vi.fn();
afterEach(() => {
  for (const client of clients) client.destroy();
  clients = [];
  warn.mockClear();
  server.closeAllConnections();
  server.close();
});

interface Options {
  tls?: boolean;
  requestTimeoutMs?: number;
  maxAnswerBytes?: number;
}

async function listen(
  answer: RequestListener,
  { tls = false, requestTimeoutMs = 500, maxAnswerBytes = 2 ** 30 }: Options = {},
): Promise<{ connections: OpenConnections; get(path?: string): Socket }> {
  server = tls ? createSecureServer(certificates[0], answer) : createServer(answer);
  const connections = new OpenConnections(server);
  const log = { warn } as unknown as Log;
  const limits = () => ({ requestTimeoutMs, maxAnswerBytes });
  endStalledAnswers(server, connections, { limits, log, lookEveryMs: 100 });
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

/** Reads to the end of the connection, `pauseMs` after each piece. */
async function bytesOf(client: Socket, until = Number.POSITIVE_INFINITY, pauseMs = 0) {
  let bytes = 0;
  client.on("data", (piece) => {
    bytes += piece.length;
    if (bytes >= until) client.destroy();
    if (pauseMs === 0) return;
    client.pause();
    setTimeout(() => client.resume(), pauseMs);
  });
  client.resume();
  await once(client, "close");
  return bytes;
}

describe.each([{ tls: false }, { tls: true }])("endStalledAnswers, %j", ({ tls }) => {
  it("ends an answer of which nothing is read, and no stream that has nothing to say", async () => {
    const quiet: (() => void)[] = [];
    const { connections, get } = await listen(
      ({ url }, response) => {
        if (url !== "/quiet") return response.end(large);
        response.write("first");
        quiet.push(() => response.end("last"));
      },
      { tls },
    );
    const stream = get("/quiet");
    const [unread, read] = [get(), get()];
    expect(await bytesOf(read, large.length)).toBeGreaterThanOrEqual(large.length);
    await expect.poll(() => warn.mock.calls).toHaveLength(1);
    expect(warn.mock.calls[0][1]).toContain("nothing for 500 ms (requestTimeoutMs)");
    expect(await bytesOf(unread)).toBeLessThan(large.length);
    await expect.poll(() => connections.count).toBe(1);
    quiet[0]();
    let text = "";
    stream.on("data", (piece) => (text += piece)).resume();
    await expect.poll(() => text).toContain("last");
  });

  it("lets a client take longer than the limit that reads slowly all the time", async () => {
    const { get } = await listen((_, response) => response.end(large), { tls });
    const began = performance.now();
    const bytes = await bytesOf(get(), large.length, tls ? 1 : 2);
    expect(bytes).toBeGreaterThanOrEqual(large.length);
    expect(performance.now() - began).toBeGreaterThan(600); // the limit, and a look
    expect(warn).not.toHaveBeenCalled();
  });
});

describe("endStalledAnswers", () => {
  it("holds sixteen of the largest answers for those who do not read, the latest", async () => {
    const options = { requestTimeoutMs: 60_000, maxAnswerBytes: (2.5 * large.length) / 16 };
    const { connections, get } = await listen((_, response) => response.end(large), options);
    for (let i = 0; i < 4; i++) get();
    await expect.poll(() => warn.mock.calls).toHaveLength(1); // and one that is left out
    expect(warn.mock.calls[0][1]).toContain("more than 78643200 bytes");
    expect(connections.count).toBe(2);
  });
});
