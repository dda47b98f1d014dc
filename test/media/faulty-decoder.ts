import { execFile, spawn } from "node:child_process";
import { chmod, readFile, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { getPriority, setPriority, tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { decodeAudio } from "../../src/media/audio/decode-audio.js";
import { decodeImage } from "../../src/media/image/decode-image.js";
import { serveDecoding } from "../../src/media/serve-decoding.js";

// A decoding process whose decoder has every fault that one can have, by the text that a "picture"
// begins with.

/** What a decoder that a file has taken over might try. */
const attempts: Record<string, () => Promise<unknown>> = {
  connect: () =>
    new Promise((resolve, reject) =>
      connect({ host: "127.0.0.1", port: 9 }).once("connect", resolve).once("error", reject),
    ),
  unixSocket: () =>
    new Promise((resolve, reject) =>
      connect({ path: "/run/none.sock" }).once("connect", resolve).once("error", reject),
    ),
  passwords: () => readFile("/etc/passwd"),
  serverMemory: () => readFile(`/proc/${process.ppid}/environ`),
  writeOutside: () => writeFile("/var/tmp/crossmodal-outside", "x"),
  writeInside: () => writeFile(join(tmpdir(), "inside"), "x"),
  passwordsByChild: () => promisify(execFile)("cat", ["/etc/passwd"]),
  childRuns: () => promisify(execFile)("cat", ["/dev/null"]),
  namespaceByChild: () => promisify(execFile)("unshare", ["--user", "true"]),
  mode: () => chmod(tmpdir(), 0o700),
  signal: async () => process.kill(process.ppid, 0),
  priority: async () => setPriority(process.ppid, getPriority(process.ppid)),
};

async function outcomeOf([name, attempt]: [string, () => Promise<unknown>]) {
  try {
    await attempt();
    return [name, "done"];
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return [name, typeof code === "string" ? code : "failed"];
  }
}

serveDecoding({
  async decodeImage(bytes, limits) {
    const fault = Buffer.from(bytes).toString("latin1").split(" ")[0];
    if (fault === "spin") for (;;);
    if (fault === "hang") await new Promise((resolve) => setTimeout(resolve, 2 ** 30));
    if (fault === "abort") process.abort();
    if (fault === "chatter") {
      for (let i = 0; i < 1000; i++) console.error("a damaged frame");
      process.stderr.write(`${"x".repeat(5000)} the last words`, () => process.abort());
      await new Promise(() => undefined);
    }
    if (fault === "kill") process.kill(process.pid, "SIGKILL");
    if (fault === "throw") throw new TypeError("a bug");
    if (fault === "lie") return { width: 1e6, height: 1e6, rgb: new Uint8Array(3) };
    if (fault === "grow") {
      const kept: Buffer[] = [];
      for (;;) {
        kept.push(Buffer.alloc(2 ** 24, 1));
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    }
    if (fault === "child") {
      spawn("sleep", ["1000"], { stdio: "ignore" });
      await new Promise((resolve) => setTimeout(resolve, 2 ** 30));
    }
    if (fault === "locked") {
      const tries = await Promise.all(Object.entries(attempts).map(outcomeOf));
      throw new TypeError(JSON.stringify(Object.fromEntries(tries)));
    }
    if (fault === "environment") {
      throw new TypeError(JSON.stringify(Object.keys(process.env)));
    }
    return decodeImage(bytes, limits);
  },
  decodeAudio,
});
