/**
 * How long JSON that is made to take as much as it can holds the main thread of a server in one go,
 * in its own processor time: other programs on the machine do not count. What the client does in
 * the same thread does.
 *
 *     npx tsx bench/held-loop.ts [NAME…]
 *
 * Linux only (/proc/self/task).
 */
import { mkdtempSync, openSync, readSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadConfig } from "../src/config.js";
import { createLog } from "../src/log.js";
import { startServer } from "../src/server.js";
import { readArguments } from "./read-arguments.js";

const { positionals } = readArguments(import.meta.url, { allowPositionals: true, options: {} });
const MiB = 2 ** 20;
const filled = (head: string, unit: string, tail: string, size: number) => {
  const count = Math.floor((size - head.length - tail.length) / unit.length);
  return Buffer.concat([
    Buffer.from(head),
    Buffer.alloc(count * unit.length, unit),
    Buffer.from(tail),
  ]);
};
const nested = (levels: number) => `${"[".repeat(levels)}${"]".repeat(levels)}`;
const row = `[${Array(512).fill("0.0123").join()}],`;
const labels = '{"text":"a","candidate_labels":[';
const picture = '{"candidate_labels":["a"],"image":"';
const keys = () => Array.from({ length: 3_000_000 }, (_, i) => `"k${i}":1`).join();

const attacks: Record<string, [path: string, body: () => Buffer]> = {
  "100,000 levels": ["/v1/embeddings", () => Buffer.from(`{"input":${nested(100_000)}}`)],
  "8 million labels": ["/v1/zero-shot", () => filled(labels, "1,", "1]}", 16 * MiB)],
  "32 million labels": ["/v1/zero-shot", () => filled(labels, "1,", "1]}", 63 * MiB)],
  "32 million inputs": ["/v1/embeddings", () => filled('{"input":[', "1,", "1]}", 63 * MiB)],
  "a row of 32 million": [
    "/v1/modality-gap",
    () => filled('{"a":{"embeddings":[[', "1,", '1]]},"b":{"embeddings":[[1]]}}', 63 * MiB),
  ],
  "rows of 512 numbers": [
    "/v1/modality-gap",
    () => filled('{"a":{"embeddings":[', row, '[1]]},"b":{"embeddings":[[1]]}}', 54 * MiB),
  ],
  "21 million empty rows": [
    "/v1/modality-gap",
    () => filled('{"a":{"embeddings":[', "[],", '[]]},"b":{"embeddings":[[1]]}}', 63 * MiB),
  ],
  "21 million empty pairs": ["/v1/heads", () => filled('{"pairs":[', "{},", "{}]}", 63 * MiB)],
  "3 million keys": ["/v1/zero-shot", () => Buffer.from(`{${keys()}}`)],
  "64 MiB of spaces": ["/v1/zero-shot", () => filled(" ", " ", " ", 63 * MiB)],
  "64 MiB of base64": ["/v1/zero-shot", () => filled(picture, "A", '"}', 63 * MiB)],
  "the same with spaces": ["/v1/zero-shot", () => filled(picture, "A ", '"}', 63 * MiB)],
  "a sound of zeros": [
    "/v1/zero-shot",
    () => filled('{"candidate_labels":["a"],"audio":"', "A", '"}', 63 * MiB),
  ],
  "a text of 60 MiB": ["/v1/embeddings", () => filled('{"input":["', "word ", '"]}', 60 * MiB)],
};

const dataDir = mkdtempSync(join(tmpdir(), "crossmodal-bench-"));
const config = { ...loadConfig({ environment: {} }), dataDir, port: 0, device: "cpu" };
const server = await startServer(config, createLog("silent"));
await server.ready;

const schedule = openSync(`/proc/self/task/${process.pid}/schedstat`, "r");
const bytes = Buffer.alloc(100);
/** Milliseconds that the main thread has run. */
const cpuMs = () => {
  const length = readSync(schedule, bytes, 0, bytes.length, 0);
  return Number(bytes.toString("latin1", 0, length).split(" ")[0]) / 1e6;
};
let last = cpuMs();
let longest = 0;
setInterval(() => {
  const now = cpuMs();
  longest = Math.max(longest, now - last);
  last = cpuMs();
}, 1);

const post = (path: string, body: Buffer) =>
  new Promise<number | undefined>((resolve, reject) => {
    const headers = { "content-type": "application/json", "content-length": body.length };
    request(server.url + path, { method: "POST", headers }, (response) => {
      response.resume().on("end", () => resolve(response.statusCode));
    })
      .on("error", reject)
      .end(body);
  });
await post("/v1/zero-shot", Buffer.from('{"text":"a","candidate_labels":["x"]}'));
const chosen = Object.entries(attacks).filter(
  ([name]) => positionals.length === 0 || positionals.some((part) => name.includes(part)),
);
for (const [name, [path, bodyOf]] of chosen) {
  const body = bodyOf();
  const longestMs: number[] = [];
  let status: number | undefined;
  for (let i = 0; i < 3; i++) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    longest = 0;
    status = await post(path, body);
    await new Promise((resolve) => setTimeout(resolve, 50));
    longestMs.push(longest);
  }
  console.log(
    `${name}: ${status}, ${longestMs.map((ms) => ms.toFixed(0)).join(", ")} ms in one go`,
  );
}
await server.close();
process.exit();
