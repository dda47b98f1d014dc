import { type ChildProcess, execFile } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { promisify } from "node:util";
import { afterEach, describe, expect, it } from "vitest";
import { fixture } from "./helpers/fixtures.js";
import { type ServedProcess, serve as startServed } from "./helpers/serve.js";
import { formPost } from "./helpers/services.js";

let children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children) child.kill("SIGKILL");
  children = [];
});

async function serve(args: readonly string[] = [], dataDir?: string): Promise<ServedProcess> {
  const server = await startServed(args, dataDir);
  children.push(server.child);
  return server;
}

const ready = async (url: string) => {
  for (let i = 0; i < 1200; i++) {
    if ((await fetch(`${url}/health/ready`)).status === 200) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error("not ready in 60 s");
};

/**
 * A request of which the server has seen the lines given; `finish` sends the empty one and resolves
 * with the answer.
 */
async function begin(url: string, line: string, headers: readonly string[] = []) {
  const { hostname, port, host } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.on("error", () => undefined); // it is cut off
  await once(socket, "connect");
  socket.write(`${[`${line} HTTP/1.1`, `host: ${host}`, ...headers].join("\r\n")}\r\n`);
  return {
    reads: async () => String((await once(socket, "data"))[0]),
    async finish(): Promise<string> {
      socket.write("\r\n");
      let answer = "";
      for await (const chunk of socket) answer += chunk;
      return answer;
    },
  };
}

describe("crossmodal serve", () => {
  it("becomes ready, classifies, and answers running requests before it stops at SIGTERM", async () => {
    const { url, child, ended } = await serve(["--port", "0"]);
    await ready(url);
    const body = () =>
      formPost({
        audio: fixture("audio/scene.opus"),
        candidate_labels: ["rain", "piano"],
        timeline: "true",
      });
    const first = await fetch(`${url}/v1/zero-shot`, body());
    expect(first.status).toBe(200);
    const underWay = fetch(`${url}/v1/zero-shot`, body());
    await new Promise((resolve) => setTimeout(resolve, 100));
    child.kill("SIGTERM");
    expect((await underWay).status).toBe(200);
    expect(await ended).toBe(0);
  });

  it("reports not ready while it drains, and logs how many requests it cut at the end", async () => {
    const { url, child, ended, output } = await serve([
      "--port",
      "0",
      "--shutdown-timeout-ms",
      "5000",
    ]);
    await ready(url);
    // A request whose head has only begun keeps its connection from being idle.
    const probes = await Promise.all(
      ["GET /health/ready", "GET /health/live"].map((line) => begin(url, line)),
    );
    const cut = await begin(url, "POST /v1/embeddings", [
      "content-type: application/json",
      "content-length: 100",
      "expect: 100-continue\r\n",
    ]);
    // It is under way, and its body never comes
    expect(await cut.reads()).toMatch(/^HTTP\/1\.1 100/);
    child.kill("SIGTERM");
    const refused = () =>
      fetch(`${url}/health/live`).then(
        () => false,
        () => true,
      );
    await expect.poll(refused, { timeout: 5000 }).toBe(true);
    const answers = await Promise.all(probes.map((probe) => probe.finish()));
    expect(answers[0]).toMatch(/^HTTP\/1\.1 503 .*connection: close.*"stopping"/is);
    expect(answers[1]).toMatch(/^HTTP\/1\.1 200 .*connection: close.*"live"/is);
    expect(await ended).toBe(1);
    expect(output()).toMatch(/"requests":1,"shutdownTimeoutMs":5000,"msg":"drain cut short"/);
  }, 60_000);

  it("refuses what is announced before a byte of it is sent", async () => {
    const { url } = await serve(["--port", "0", "--max-body-bytes", "1000"]);
    await ready(url);
    for (const [type, length, status, shown] of [
      ["application/json", 1001, 413, "larger than 1000 bytes"],
      ["text/plain", 10, 415, "but received text/plain"],
    ] as const) {
      const request = await begin(url, "POST /v1/embeddings", [
        `content-type: ${type}`,
        `content-length: ${length}`,
        "expect: 100-continue",
      ]);
      const answer = await request.finish(); // that it comes to an end: the connection is closed
      expect(answer).toMatch(new RegExp(`HTTP/1\\.1 ${status} .*${shown}`, "s"));
    }
  });

  it.each([
    ["POST /v1/embeddings", "text/plain", 415],
    ["POST /v1/embeddings", "application/json", 413],
    ["POST /v1/embeddings", "application/json", 413, "in chunks"],
    ["POST /v1/nothing", "application/json", 404],
  ])(
    "lets a client read its answer to %s of %s that sends all of its body first, %4$s",
    async (line, type, status, chunks = "") => {
      const { url } = await serve(["--port", "0", "--max-body-bytes", "1000"]);
      await ready(url);
      const body = Buffer.alloc(2 ** 20, "x");
      const socket = connect(Number(new URL(url).port), "127.0.0.1");
      const isChunked = chunks !== "";
      const length = isChunked
        ? "transfer-encoding: chunked"
        : `content-length: ${64 * body.length}`;
      const head = ["host: 127.0.0.1", "connection: close", `content-type: ${type}`, length];
      socket.write(`${line} HTTP/1.1\r\n${head.join("\r\n")}\r\n\r\n`);
      const piece = isChunked
        ? Buffer.concat([Buffer.from(`${body.length.toString(16)}\r\n`), body, Buffer.from("\r\n")])
        : body;
      // Nothing is read until everything is sent, as Python's http.client does it.
      socket.pause();
      for (let i = 0; i < 64; i++)
        await new Promise<void>((resolve, reject) =>
          socket.write(piece, (error) => (error ? reject(error) : resolve())),
        );
      if (isChunked) socket.write("0\r\n\r\n");
      let answer = "";
      for await (const chunk of socket) answer += String(chunk);
      expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
      expect(JSON.parse(answer.slice(answer.indexOf("\r\n\r\n")))).toHaveProperty("error.code");
    },
  );

  it("takes a client that leaves in the middle of its body for no fault of the server", async () => {
    const { url, child, ended, output } = await serve();
    await ready(url);
    for (const type of ["application/json", "multipart/form-data; boundary=XX"]) {
      const socket = connect(Number(new URL(url).port), "127.0.0.1");
      const head = `POST /v1/zero-shot HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: ${type}`;
      socket.write(`${head}\r\ncontent-length: 1000\r\n\r\n--XX\r\n`);
      await new Promise((resolve) => setTimeout(resolve, 100)); // its body is waited for by then
      socket.destroy();
    }
    child.kill("SIGTERM");
    expect(await ended).toBe(0);
    expect(output()).not.toContain("internal error");
  });

  it("says that the port is taken, and ends with 1", async () => {
    const { url } = await serve(["--port", "0"]);
    const second = serve(["--port", new URL(url).port]);
    await expect(second).rejects.toThrow(
      /ended with 1: .*Port \d+ on 127\.0\.0\.1 is held by a crossmodal/s,
    );
  });

  it("refuses to listen to others without keys", async () => {
    await expect(serve(["--host", "0.0.0.0", "--port", "0"])).rejects.toThrow(
      /ended with 2: .*API keys/s,
    );
  });

  it("refuses a device that is not available, with what is missing", async () => {
    await expect(serve(["--port", "0", "--device", "cuda:7"])).rejects.toThrow(
      /ended with 1: .*To use it: /s,
    );
  });

  it("asks for the key when there is one", async () => {
    const { url } = await serve(["--port", "0", "--api-keys", "a-secret-key"]);
    expect((await fetch(`${url}/v1/models`)).status).toBe(401);
    expect(
      (await fetch(`${url}/v1/models`, { headers: { authorization: "Bearer a-secret-kez" } }))
        .status,
    ).toBe(401);
    expect(
      (await fetch(`${url}/v1/models`, { headers: { authorization: "Bearer a-secret-key" } }))
        .status,
    ).toBe(200);
    expect((await fetch(`${url}/health/live`)).status).toBe(200);
  });

  it("locks its data folder: a second server names the first one's pid", async () => {
    const { child, dataDir } = await serve(["--port", "0"]);
    const second = serve(["--port", "0"], dataDir);
    await expect(second).rejects.toThrow(
      new RegExp(`ended with 1: .*in use by process ${child.pid};`, "s"),
    );
    const flags = ["--labels", "cat,dog", "--json", "--data-dir", dataDir, "--device", "cpu"];
    const command = [
      "--import",
      "tsx",
      "src/cli.ts",
      "classify",
      "fixtures/images/cat.jpg",
      ...flags,
    ];
    const { stdout } = await promisify(execFile)(process.execPath, command);
    expect(JSON.parse(stdout).scores[0].label).toBe("cat");
  }, 120_000);

  it("gives up a body that trickles in", async () => {
    const { url } = await serve(["--port", "0", "--request-timeout-ms", "300"]);
    const slow = new ReadableStream({
      start: (controller) => controller.enqueue(Buffer.from('{"input":')),
    });
    const headers = { "content-type": "application/json" };
    const request = { method: "POST", headers, body: slow, duplex: "half" } as RequestInit;
    await expect(fetch(`${url}/v1/embeddings`, request)).rejects.toThrow("fetch failed");
    expect((await fetch(`${url}/health/live`)).status).toBe(200);
  });

  it("takes a client that breaks its upload off for no bug", async () => {
    const { url, output } = await serve(["--port", "0", "--log-level", "info"]);
    await ready(url);
    const lengths = ["content-length: 1000", "transfer-encoding: chunked"];
    for (const [i, length] of lengths.entries()) {
      const socket = connect(Number(new URL(url).port), "127.0.0.1");
      const type = "content-type: application/json";
      const head = ["POST /v1/embeddings HTTP/1.1", "host: 127.0.0.1", type, length];
      socket.write(`${head.join("\r\n")}\r\nexpect: 100-continue\r\n\r\n`);
      await once(socket, "data"); // its body is read from here on
      socket.write("9\r\n");
      socket.destroy();
      await expect.poll(() => output().split('"status":499').length).toBe(i + 2);
    }
    expect(output()).not.toContain("internal error");
  });

  it("classifies with a read-only data folder; collections say why they are unavailable", async () => {
    const { url } = await serve(["--port", "0"], "/proc/nowhere");
    const body = formPost({ image: fixture("images/cat.jpg"), candidate_labels: ["cat", "dog"] });
    expect((await fetch(`${url}/v1/zero-shot`, body)).status).toBe(200);
    const collections = await fetch(`${url}/v1/collections`);
    expect([collections.status, await collections.json()]).toMatchObject([
      500,
      { error: { code: "storage_failed" } },
    ]);
    const readiness = async () => (await fetch(`${url}/health/ready`)).json();
    await expect.poll(readiness).toMatchObject({
      status: "degraded",
      reasons: [expect.stringContaining("/proc/nowhere")],
    });
  });
});
