import { mkdtempSync } from "node:fs";
import { type ClientRequest, type IncomingMessage, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { type Config, loadConfig } from "../../src/config.js";
import { createLog } from "../../src/log.js";
import { type RunningServer, startServer } from "../../src/server.js";
import { jsonPost } from "../helpers/services.js";

// Over real sockets: what a stream of items does when its client is slow, silent or gone.

let server: RunningServer | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

/** A server with an empty collection "c" of three-dimensional vectors. */
async function start(overrides: Partial<Config> = {}): Promise<string> {
  const dataDir = mkdtempSync(join(tmpdir(), "crossmodal-streams-"));
  const models = ["starter-clap"];
  const config = {
    ...loadConfig({ environment: {} }),
    dataDir,
    device: "cpu",
    port: 0,
    models,
    ...overrides,
  };
  server = await startServer(config, createLog("silent"));
  await fetch(
    `${server.url}/v1/collections`,
    jsonPost({ name: "c", space: "plain", dimensions: 3 }),
  );
  return server.url;
}

const count = async (url: string) => {
  const collection = (await (await fetch(`${url}/v1/collections/c`)).json()) as { count: number };
  return collection.count;
};
const until = async (what: () => Promise<boolean>) => {
  while (!(await what())) await new Promise((resolve) => setTimeout(resolve, 20));
};

function openStream(url: string): { sent: ClientRequest; answer: Promise<IncomingMessage> } {
  const headers = { "content-type": "application/x-ndjson" };
  const sent = request(`${url}/v1/collections/c/items`, { method: "POST", headers });
  sent.on("error", () => undefined);
  return { sent, answer: new Promise((resolve) => sent.once("response", resolve)) };
}

const line = (id: string, note = "") =>
  `${JSON.stringify({ id, embedding: [0, 0.6, 0.8], modality: "text", metadata: { note } })}\n`;

async function readAll(
  answer: IncomingMessage,
): Promise<{ id: string | null; status: string; error?: { code: string } }[]> {
  let text = "";
  for await (const chunk of answer) text += chunk;
  return text
    .split("\n")
    .slice(0, -1)
    .map((status) => JSON.parse(status));
}

describe("a stream of items", () => {
  it("waits for a reader that is slow, on both sides, and then loses nothing", async () => {
    const url = await start();
    // 500 bytes of line and of status each: more than the sockets and the server hold
    const total = 40_000;
    const idOf = (i: number) => `item-${i}`.padEnd(440, "-");
    const { sent, answer } = openStream(url);
    let written = 0;
    const write = async () => {
      while (written < total) {
        const lines = Array.from({ length: 500 }, (_, i) => line(idOf(written + i))).join("");
        written += 500;
        if (!sent.write(lines)) await new Promise((resolve) => sent.once("drain", resolve));
      }
      sent.end();
    };
    const writing = write();
    const response = await answer; // paused: nothing is read
    let before = -1;
    await until(async () => {
      const stalled = before === written;
      before = written;
      await new Promise((resolve) => setTimeout(resolve, 1000));
      return stalled;
    });
    expect(written).toBeLessThan(total);
    const statuses = await readAll(response);
    await writing;
    expect(statuses).toHaveLength(total);
    expect(
      statuses.every(({ status }, i) => status === "stored" && statuses[i].id === idOf(i)),
    ).toBe(true);
    expect(await count(url)).toBe(total);
  }, 300_000);

  it("lets many streams through that together are larger than the room for bodies", async () => {
    const url = await start({ maxBodyBytes: 2000 });
    const streams = Array.from({ length: 8 }, () => openStream(url));
    const lines = (i: number) =>
      Array.from({ length: 20 }, (_, n) => line(`${i}-${n}`, "x".repeat(1800)));
    // Each has begun a line before any may finish one.
    for (const [i, { sent }] of streams.entries()) sent.write(lines(i)[0].slice(0, 1000));
    for (const [i, { sent }] of streams.entries()) {
      sent.write(lines(i)[0].slice(1000));
      sent.end(lines(i).slice(1).join(""));
    }
    const answers = await Promise.all(streams.map(async ({ answer }) => readAll(await answer)));
    expect(answers.flat().filter(({ status }) => status === "stored")).toHaveLength(160);
    expect(await count(url)).toBe(160);
  });

  it("keeps what a client that goes away has sent, up to the line that was cut", async () => {
    const url = await start();
    const { sent, answer } = openStream(url);
    sent.write(line("a") + line("b") + line("cut").slice(0, 20));
    const response = await answer;
    await new Promise((resolve) => response.once("data", resolve));
    await until(async () => (await count(url)) === 2);
    sent.destroy();
    expect((await fetch(`${url}/health/live`)).status).toBe(200);
    expect(await count(url)).toBe(2);
  });

  it("goes on past the time limit of a request as long as the client moves", async () => {
    const url = await start({ requestTimeoutMs: 2000 });
    const { sent, answer } = openStream(url);
    const began = performance.now();
    let lines = 0;
    while (performance.now() - began < 5000) {
      sent.write(line(`item-${lines++}`));
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    sent.end();
    const statuses = await readAll(await answer);
    expect(statuses).toHaveLength(lines);
    expect(statuses.every(({ status }) => status === "stored")).toBe(true);
  });

  it("ends a stream whose client has fallen silent, saying so after the last status", async () => {
    const url = await start({ requestTimeoutMs: 300 });
    const { sent, answer } = openStream(url);
    sent.write(line("a"));
    const statuses = await readAll(await answer);
    expect(statuses).toMatchObject([
      { id: "a", status: "stored" },
      { id: null, status: "failed", error: { code: "timeout" } },
    ]);
  });

  it("ends at a shutdown: stores and reports what was read, then says that the server stops", async () => {
    const url = await start();
    const { sent, answer } = openStream(url);
    sent.write(line("a"));
    const response = await answer;
    await until(async () => (await count(url)) === 1);
    const closing = server?.close();
    expect(await readAll(response)).toMatchObject([
      { id: "a", status: "stored" },
      { id: null, status: "failed", error: { code: "cancelled" } },
    ]);
    await closing;
  });
});

describe("GET /v1/collections/{name}/export", () => {
  it("waits for a slow reader, and stops when the reader goes away", async () => {
    const url = await start();
    const body = Array.from({ length: 20_000 }, (_, i) => line(`item-${i}`, "x".repeat(500))).join(
      "",
    );
    const headers = { "content-type": "application/x-ndjson" };
    await (await fetch(`${url}/v1/collections/c/items`, { method: "POST", headers, body })).text();
    const get = () =>
      new Promise<IncomingMessage>((resolve) =>
        request(`${url}/v1/collections/c/export`, resolve).end(),
      );
    const left = await get();
    await new Promise((resolve) => left.once("data", resolve));
    left.destroy();
    const slow = await get();
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(await readAll(slow)).toHaveLength(20_000);
  }, 120_000);
});
