import { once } from "node:events";
import { mkdtempSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import { type Config, loadConfig } from "../src/config.js";
import type { Log } from "../src/log.js";
import { type RunningServer, startServer } from "../src/server.js";
import { jsonPost } from "./helpers/services.js";

// Over sockets of their own: what clients may do to a server without a key, or with one.

let server: RunningServer | undefined;
let clients: Socket[] = [];
afterEach(async () => {
  for (const client of clients) client.destroy();
  clients = [];
  await server?.close();
  server = undefined;
});

async function start(overrides: Partial<Config> = {}) {
  const dataDir = mkdtempSync(join(tmpdir(), "crossmodal-hostile-"));
  const config = { ...loadConfig({ environment: {} }), dataDir, device: "cpu", port: 0 };
  const warn = vi.fn();
  const log = { info() {}, debug() {}, error() {}, warn } as unknown as Log;
  server = await startServer({ ...config, models: [], ...overrides }, log);
  return { url: server.url, warn };
}

/** A connection on which `lines` are sent as a request's head. */
function send(url: string, lines: readonly string[]): Socket {
  const { hostname, port } = new URL(url);
  const client = connect(Number(port), hostname).on("error", () => undefined);
  clients.push(client);
  client.write(`${lines.join("\r\n")}\r\n\r\n`);
  return client;
}

describe("a client that does not read", () => {
  it("is cut off, also from what is public", async () => {
    const { url, warn } = await start({ maxAnswerBytes: 10_000 });
    const request = "GET /openapi.json HTTP/1.1\r\nhost: 127.0.0.1";
    const client = send(url, Array(80).fill(`${request}\r\n`)).pause();
    await expect.poll(() => warn.mock.calls.flat().join()).toMatch(/does not read its answer/);
    client.resume();
    await once(client, "close");
  });
});

describe("bodies that do not arrive", () => {
  it("take no room from those that do", async () => {
    const { url } = await start({ maxBodyBytes: 4 * 2 ** 20 });
    const halfOpen = Array.from({ length: 4 }, () =>
      send(url, [
        "POST /v1/embeddings HTTP/1.1",
        "host: 127.0.0.1",
        "content-type: application/json",
        `content-length: ${4 * 2 ** 20}`,
        "expect: 100-continue",
      ]),
    );
    await Promise.all(halfOpen.map((client) => once(client, "data"))); // their bodies are awaited
    const body = jsonPost({ model: "none", input: "x".repeat(3 * 2 ** 20) });
    const answer = await fetch(`${url}/v1/embeddings`, body);
    expect(await answer.json()).toMatchObject({ error: { code: "model_not_found" } });
  });
});
