import { once } from "node:events";
import { createServer, type IncomingMessage, type Server } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { arrivingBody } from "../../src/routes/arriving-body.js";

let server: Server;
let client: Socket;
afterEach(() => {
  client.destroy();
  server.closeAllConnections();
  server.close();
});

/** A request whose body comes in chunks; `send` sends one for each text. */
async function open(): Promise<{ incoming: IncomingMessage; send(texts: string[]): void }> {
  server = createServer();
  await once(server.listen(0, "127.0.0.1"), "listening");
  client = connect((server.address() as AddressInfo).port, "127.0.0.1");
  client.write("POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n");
  const [incoming] = (await once(server, "request")) as [IncomingMessage];
  const chunk = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n`;
  return { incoming, send: (texts) => client.write(texts.map(chunk).join("")) };
}

describe("arrivingBody", () => {
  it("joins chunks that have arrived together", async () => {
    const { incoming, send } = await open();
    const sent = Array.from({ length: 100_000 }, (_, i) => String(i % 10));
    const body = arrivingBody(incoming);
    send([...sent, ""]);
    const pieces: Uint8Array[] = [];
    for await (const piece of body) pieces.push(piece);
    expect(Buffer.concat(pieces).toString()).toBe(sent.join(""));
    expect(pieces.length).toBeLessThan(1000); // a packet brings thousands
  });

  it("keeps the order of small chunks and large ones", async () => {
    const { incoming, send } = await open();
    const sizes = [1, 1023, 1024, 3, 40_000, 20_000, 1000, 1000, 5];
    const sent = sizes.map((size, i) => String(i).repeat(size));
    const body = arrivingBody(incoming);
    send([...sent, ...sent, ""]);
    const pieces: Uint8Array[] = [];
    for await (const piece of body) pieces.push(piece);
    expect(Buffer.concat(pieces).toString() === [...sent, ...sent].join("")).toBe(true);
  });

  it("leaves the rest to others when it is given up", async () => {
    const { incoming, send } = await open();
    const reader = arrivingBody(incoming).getReader();
    send(["first"]);
    expect(Buffer.from((await reader.read()).value!).toString()).toBe("first");
    const next = reader.read();
    await reader.cancel();
    expect((await next).done).toBe(true);
    incoming.resume();
    send(["rest", ""]);
    await once(incoming, "end");
  });

  it("breaks off with its connection", async () => {
    const { incoming, send } = await open();
    const reader = arrivingBody(incoming).getReader();
    send(["first"]);
    await reader.read();
    client.destroy();
    await expect(reader.read()).rejects.toThrow();
  });
});
