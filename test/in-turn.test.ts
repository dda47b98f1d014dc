import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { promisify } from "node:util";
import { getRequestListener } from "@hono/node-server";
import { afterEach, describe, expect, it } from "vitest";
import { inTurn } from "../src/in-turn.js";
import { createLog } from "../src/log.js";

let server: Server;
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

/** A server that answers with the path once it is let; `running` has those that it works on. */
async function listen() {
  const running: string[] = [];
  const started: string[] = [];
  const waiting = new Map<string, () => void>();
  const fetch = async (request: Request) => {
    const { pathname } = new URL(request.url);
    running.push(pathname);
    started.push(pathname);
    await new Promise<void>((resolve) => waiting.set(pathname, resolve));
    running.splice(running.indexOf(pathname), 1);
    return new Response(pathname);
  };
  server = createServer(getRequestListener(inTurn(fetch, createLog("silent"))));
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  const open = () => {
    const socket = connect(port, "127.0.0.1").on("error", () => undefined);
    let text = "";
    socket.on("data", (chunk) => (text += chunk));
    const send = (...paths: string[]) =>
      socket.write(paths.map((path) => `GET ${path} HTTP/1.1\r\nhost: x\r\n\r\n`).join(""));
    return { socket, send, answers: () => text.match(/\/[a-z]\d+$|\/[a-z]\d+(?=HTTP)/g) ?? [] };
  };
  const finish = async (path: string) => {
    await expect.poll(() => running).toContain(path);
    waiting.get(path)!();
  };
  return { open, finish, running, started };
}

describe("inTurn", () => {
  it("works on one request of a connection at a time, and on those of others beside it", async () => {
    const { open, finish, running } = await listen();
    const [one, other] = [open(), open()];
    one.send("/a1", "/a2", "/a3");
    other.send("/b1");
    await expect.poll(() => [...running].sort()).toEqual(["/a1", "/b1"]);
    await finish("/b1");
    await expect.poll(other.answers).toEqual(["/b1"]);
    for (const path of ["/a1", "/a2", "/a3"]) {
      await expect.poll(() => running).toEqual([path]);
      await finish(path);
    }
    await expect.poll(one.answers).toEqual(["/a1", "/a2", "/a3"]);
    one.send("/a4");
    await finish("/a4");
    await expect.poll(one.answers).toHaveLength(4);
  });

  it("forgets those that waited when their connection is closed", async () => {
    const { open, finish, running, started } = await listen();
    const one = open();
    one.send("/a1", "/a2", "/a3");
    await expect.poll(() => running).toEqual(["/a1"]);
    one.socket.destroy();
    const connections = () => promisify(server.getConnections.bind(server))();
    await expect.poll(connections).toBe(0);
    await finish("/a1");
    const other = open();
    other.send("/b1");
    await finish("/b1");
    await expect.poll(other.answers).toEqual(["/b1"]);
    expect(started).toEqual(["/a1", "/b1"]);
  });

  it("closes a connection with more than a hundred waiting", async () => {
    const { open, finish, started } = await listen();
    const [one, other] = [open(), open()];
    one.send(...Array.from({ length: 200 }, (_, i) => `/a${i}`));
    await once(one.socket, "close");
    other.send("/b1");
    await finish("/b1");
    await expect.poll(other.answers).toEqual(["/b1"]);
    expect(started).toEqual(["/a0", "/b1"]);
  });
});
