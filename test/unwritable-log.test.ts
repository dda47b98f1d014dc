import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdtempSync, openSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "crossmodal-log-"));
let child: ChildProcess | undefined;
afterEach(() => child?.kill("SIGKILL"));

function start(stdio: ["pipe" | number, "pipe" | number], port = 0): ChildProcess {
  const dataDir = mkdtempSync(join(folder, "data-"));
  const flags = ["--port", `${port}`, "--models", "starter-clip", "--device", "cpu"];
  const program = ["--import", "tsx", "src/cli.ts", "serve", "--data-dir", dataDir, ...flags];
  child = spawn(process.execPath, program, { stdio: ["ignore", ...stdio] });
  return child;
}

/** A server whose log goes to a descriptor, or to a socket that nobody reads. */
async function serve(stderr: number | "pipe"): Promise<string> {
  const started = start(["pipe", stderr]);
  let output = "";
  return new Promise((resolve, reject) => {
    started.once("exit", (code) => reject(new Error(`ended with ${code}: ${output}`)));
    started.stdout?.on("data", (chunk) => {
      output += chunk;
      const [, url] = /listens on (http:\S+)/.exec(output) ?? [];
      if (url !== undefined) resolve(url);
    });
  });
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

/** Each is a line of the log; together they are more than a pipe or a socket holds. */
async function ask(url: string, requests = 600): Promise<Set<number>> {
  const statuses = new Set<number>();
  for (let i = 0; i < requests; i++) {
    const answer = await fetch(`${url}/v1/nothing/${"x".repeat(400)}`);
    await answer.text();
    statuses.add(answer.status);
  }
  statuses.add((await fetch(`${url}/health/live`)).status);
  return statuses;
}

async function endOf(server: ChildProcess): Promise<number | null> {
  const ended = new Promise<number | null>((resolve) => server.once("exit", resolve));
  server.kill("SIGTERM");
  return ended;
}

describe("a server whose log cannot be written", () => {
  it("answers as ever on a full disk", async () => {
    const full = openSync("/dev/full", "a");
    const url = await serve(full);
    closeSync(full);
    expect(await ask(url, 20)).toEqual(new Set([404, 200]));
    // A line is lost only once more wait than memory is given to them.
    const metrics = await (await fetch(`${url}/metrics`)).text();
    expect(metrics).not.toMatch(/crossmodal_lost_log_lines_total\{/);
    expect(await endOf(child!)).toBe(0);
  });

  it("starts and answers where stdout is on that disk too", async () => {
    const full = openSync("/dev/full", "a");
    const port = await freePort();
    const started = start([full, full], port);
    closeSync(full);
    const ended = new Promise<number | null>((resolve) => started.once("exit", resolve));
    const asked = async () => {
      const live = fetch(`http://127.0.0.1:${port}/health/live`);
      return Promise.race([ended, live.then(({ status }) => status).catch(() => "not yet")]);
    };
    await expect.poll(asked, { timeout: 60_000, interval: 200 }).not.toBe("not yet");
    expect(await asked()).toBe(200);
    expect(await endOf(started)).toBe(0);
  });

  it("answers as ever when the reader is gone, as after head -1", async () => {
    const path = join(folder, "gone");
    execFileSync("mkfifo", [path]);
    const reader = openSync(path, "r+");
    const writer = openSync(path, "a");
    const url = await serve(writer);
    closeSync(writer);
    closeSync(reader);
    expect(await ask(url, 20)).toEqual(new Set([404, 200]));
    expect(await endOf(child!)).toBe(0);
  });

  it("answers as ever, and ends, when the reader of a pipe does not read", async () => {
    const path = join(folder, "slow");
    execFileSync("mkfifo", [path]);
    const pipe = openSync(path, "r+");
    const url = await serve(pipe);
    expect(await ask(url)).toEqual(new Set([404, 200]));
    expect(await endOf(child!)).toBe(0);
    closeSync(pipe);
  });

  it("answers as ever when the reader of a socket does not read", async () => {
    const url = await serve("pipe");
    expect(await ask(url)).toEqual(new Set([404, 200]));
  });
});
