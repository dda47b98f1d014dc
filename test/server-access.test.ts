import { mkdtempSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TLSSocket } from "node:tls";
import { afterEach, describe, expect, it } from "vitest";
import { createKey, keyFolder, revokeKey } from "../src/access/key-file.js";
import { certificates } from "./helpers/certificates.js";
import { type ServedProcess, serve } from "./helpers/serve.js";

// slow: a server is started as a user starts it

let server: ServedProcess;
afterEach(async () => {
  server.child.kill();
  await server.ended;
});

/** The subject of the certificate that a new connection is shown, and the answer's status. */
function ask(url: string): Promise<{ subject: string; status: number }> {
  return new Promise((resolve, reject) => {
    const ca = certificates.map(({ cert }) => cert);
    const asked = request(`${url}/health/live`, { ca, agent: false }, (response) => {
      const subject = (response.socket as TLSSocket).getPeerCertificate().subject.CN;
      resolve({ subject: String(subject), status: response.statusCode ?? 0 });
      response.resume();
    });
    asked.once("error", reject).end();
  });
}

describe("a server in front of others", () => {
  it("speaks HTTPS, and takes a renewed certificate without a restart", async () => {
    const folder = mkdtempSync(join(tmpdir(), "crossmodal-tls-"));
    const [tlsCert, tlsKey] = [join(folder, "cert.pem"), join(folder, "key.pem")];
    const write = ({ cert, key }: (typeof certificates)[number]) => {
      writeFileSync(tlsCert, cert);
      writeFileSync(tlsKey, key);
    };
    write(certificates[0]);
    server = await serve(["--tls-cert", tlsCert, "--tls-key", tlsKey]);
    expect(server.url).toMatch(/^https:/);
    expect(await ask(server.url)).toEqual({ subject: "crossmodal test 1", status: 200 });
    write(certificates[1]);
    await expect
      .poll(() => ask(server.url), { timeout: 30_000, interval: 500 })
      .toEqual({ subject: "crossmodal test 2", status: 200 });
  });

  it("takes a key that is made while it runs, and refuses it once it is revoked", async () => {
    server = await serve();
    const status = async (key?: string) => {
      const headers: Record<string, string> = key === undefined ? {} : { "x-api-key": key };
      return (await fetch(`${server.url}/v1/collections`, { headers })).status;
    };
    expect(await status()).toBe(200);
    const key = await createKey(keyFolder(server.dataDir), { name: "ada", scope: "read" });
    expect(await status()).toBe(401);
    expect(await status(key)).toBe(200);
    await revokeKey(keyFolder(server.dataDir), key.split("_")[1]);
    expect(await status(key)).toBe(401);
  });

  it("ends a stream of items whose key is revoked, and keeps what it has acknowledged", async () => {
    server = await serve();
    const keys = keyFolder(server.dataDir);
    const ask = (key: string, path: string, init: RequestInit = {}) =>
      fetch(`${server.url}/v1/collections${path}`, {
        headers: { "x-api-key": key, "content-type": "application/json" },
        ...init,
      });
    const [leaving, staying] = [
      await createKey(keys, { name: "leaving", scope: "write" }),
      await createKey(keys, { name: "staying", scope: "write" }),
    ];
    const spec = { name: "c", space: "own@1", dimensions: 1 };
    const made = await ask(staying, "", { method: "POST", body: JSON.stringify(spec) });
    expect(made.status).toBe(201);
    const streams = [leaving, staying].map(async (key) => {
      let send: (id: string) => void = () => undefined;
      let end = () => {};
      const body = new ReadableStream({
        start(controller) {
          const item = { modality: "image", embedding: [1] };
          end = () => controller.close();
          send = (id) => controller.enqueue(`${JSON.stringify({ id, ...item })}\n`);
        },
      }).pipeThrough(new TextEncoderStream());
      const headers = { "x-api-key": key, "content-type": "application/x-ndjson" };
      const init = { method: "POST", headers, body, duplex: "half" };
      send(`${key} 1`);
      const response = await ask(key, "/c/items", init as RequestInit);
      const statuses = response.body!.getReader();
      expect(new TextDecoder().decode((await statuses.read()).value)).toContain('"stored"');
      return { statuses, send, end };
    });
    const [ended, goingOn] = await Promise.all(streams);
    await revokeKey(keys, leaving.split("_")[1]);
    await expect(ended.statuses.read()).rejects.toThrow(); // after 2 s at most
    goingOn.send(`${staying} 2`);
    expect((await goingOn.statuses.read()).done).toBe(false);
    goingOn.end(); // or the server would wait for it when it stops
    expect((await goingOn.statuses.read()).done).toBe(true);
    const { data } = (await (await ask(staying, "/c/items")).json()) as { data: { id: string }[] };
    expect(data.map(({ id }) => id).sort()).toEqual(
      [`${leaving} 1`, `${staying} 1`, `${staying} 2`].sort(),
    );
  });

  it("counts requests by the address that a trusted proxy names, and hangs up on slow heads", async () => {
    server = await serve(["--requests-per-minute", "2", "--trusted-proxies", "127.0.0.1"]);
    const { hostname, port } = new URL(server.url);
    const slow = connect(Number(port), hostname);
    let hungUp = "";
    slow.on("data", (chunk) => (hungUp += chunk)).on("error", () => undefined);
    slow.write("GET /v1/models HTTP/1.1\r\nhost: localhost\r\nx-slow: ");
    const trickle = setInterval(() => slow.write("x"), 500);
    const status = async (address: string) => {
      const headers = { "x-forwarded-for": `203.0.113.9, ${address}` };
      return (await fetch(`${server.url}/v1/models`, { headers })).status;
    };
    const asked = ["198.51.100.1", "198.51.100.1", "198.51.100.1", "198.51.100.2"];
    const statuses: number[] = [];
    for (const address of asked) statuses.push(await status(address));
    expect(statuses).toEqual([200, 200, 429, 200]);
    await expect.poll(() => slow.closed).toBe(true); // after 15 to 20 s
    clearInterval(trickle);
    expect(hungUp).toMatch(/^HTTP\/1.1 408 /);
  });

  it("closes connections beyond --max-connections, and serves those within it", async () => {
    server = await serve(["--max-connections", "2"]);
    const { hostname, port } = new URL(server.url);
    const sockets = Array.from({ length: 4 }, () => connect(Number(port), hostname));
    for (const socket of sockets) socket.on("error", () => undefined);
    await expect.poll(() => sockets.filter(({ closed }) => closed).length).toBe(2);
    for (const socket of sockets) socket.destroy();
    await expect
      .poll(() =>
        fetch(`${server.url}/health/live`).then(
          ({ status }) => status,
          () => 0,
        ),
      )
      .toBe(200);
  });
});
