/**
 * Does a server that is used for a long time keep its memory, files and threads level? Mixed
 * requests, mishaps included: clients that leave, uploads cut short, damaged files, cancelled jobs.
 *
 *     npx tsx bench/soak.ts [--requests 10000] [--clients 4] [--port 8097] [--plot FILE.svg]
 *                           [--cache-bytes N]
 *
 * Starts `dist/cli.js serve` (`npm run build` first). Linux only (/proc). A tenth of the requests
 * is sent beforehand: models, decoders and caches start on first use.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
import { seededRandom } from "../src/math/random.js";
import { processUsage } from "../src/media/process-usage.js";
import { readArguments } from "./read-arguments.js";
import { startServerProcess } from "./server-process.js";

const { values } = readArguments(import.meta.url, {
  options: {
    requests: { type: "string", default: "10000" },
    clients: { type: "string", default: "4" },
    port: { type: "string", default: "8097" },
    plot: { type: "string" },
    "cache-bytes": { type: "string" },
  },
});
const cache = values["cache-bytes"];
const server = await startServerProcess({
  port: Number(values.port),
  flags: cache === undefined ? [] : ["--cache-bytes", cache],
});
const random = seededRandom(1);
const picture = readFileSync("fixtures/images/cat.jpg");
const sound = readFileSync("fixtures/audio/dog.mp3");
let number = 0;
const statuses = new Map<string, number>();

async function send(kind: string, path: string, init: RequestInit): Promise<Response | undefined> {
  let outcome = "left";
  try {
    const response = await fetch(server.url + path, init);
    const body = await response.arrayBuffer();
    outcome = `${response.status}`;
    return new Response(body, { status: response.status });
  } catch (error) {
    if (!init.signal?.aborted) throw error;
    return undefined;
  } finally {
    const key = `${kind} ${outcome}`;
    statuses.set(key, (statuses.get(key) ?? 0) + 1);
  }
}
const json = (method: string, body: unknown, signal?: AbortSignal): RequestInit => ({
  method,
  headers: { "content-type": "application/json" },
  body: JSON.stringify(body),
  signal,
});
/** A file that the server has not seen, since its last bytes count up. */
const form = (field: string, file: Buffer, signal?: AbortSignal): RequestInit => {
  const body = new FormData();
  body.set("candidate_labels", '["cat","dog"]');
  body.set(field, new Blob([file, `${number++}`]), "x");
  return { method: "POST", body, signal };
};
const soon = () => AbortSignal.timeout(1 + random.integer(60));
const matrix = () =>
  Array.from({ length: 24 }, () => Array.from({ length: 384 }, () => random.uniform() - 0.5));

const items = "/v1/collections/c/items";
/** How many of a hundred requests are of which kind. */
const kinds: Record<string, [weight: number, () => Promise<unknown>]> = {
  embed: [16, () => send("embed", "/v1/embeddings", json("POST", { input: `text ${number++}` }))],
  picture: [14, () => send("picture", "/v1/zero-shot", form("image", picture))],
  sound: [8, () => send("sound", "/v1/zero-shot", form("audio", sound))],
  add: [
    12,
    () => {
      const item = { id: `${number++ % 500}`, text: `item ${number}` };
      return send("add", items, json("POST", { items: [item] }));
    },
  ],
  remove: [5, () => send("remove", `${items}/${number % 500}`, { method: "DELETE" })],
  search: [
    15,
    () => send("search", "/v1/collections/c/search", json("POST", { text: `query ${number++}` })),
  ],
  "client that leaves": [
    12,
    () => {
      const input = Array.from({ length: 16 }, () => `text ${number++}`);
      return send("client that leaves", "/v1/embeddings", json("POST", { input }, soon()));
    },
  ],
  "upload cut short": [
    6,
    () => send("upload cut short", "/v1/zero-shot", form("image", picture, soon())),
  ],
  "damaged picture": [
    5,
    () => send("damaged picture", "/v1/zero-shot", form("image", picture.subarray(0, 2000))),
  ],
  "damaged sound": [
    3,
    () => send("damaged sound", "/v1/zero-shot", form("audio", sound.subarray(0, 100))),
  ],
  collection: [
    3,
    async () => {
      const name = `c${number++}`;
      const path = `/v1/collections/${name}`;
      const embedding = [1, 0, 0, 0, 0, 0, 0, 0];
      await send("create", "/v1/collections", json("POST", { name, space: "s@1", dimensions: 8 }));
      const body = { items: [{ id: "a", modality: "text", embedding }] };
      await send("add a vector", `${path}/items`, json("POST", body));
      await send("drop", path, { method: "DELETE" });
    },
  ],
  job: [
    1,
    async () => {
      const embeddings = { a: matrix(), b: matrix() };
      const request = { model: "starter-clip", name: "h", pairs: { embeddings }, epochs: 3 };
      const answer = await send("job", "/v1/heads", json("POST", request));
      if (answer?.status !== 202) return;
      const { job } = (await answer.json()) as { job: { id: string } };
      await wait(300 * random.uniform());
      await send("cancel", `/v1/jobs/${job.id}`, { method: "DELETE" });
    },
  ],
};
const draw = Object.values(kinds).flatMap(([weight, run]) => Array<typeof run>(weight).fill(run));

async function run(count: number): Promise<void> {
  let left = count;
  const client = async () => {
    while (left-- > 0) await draw[random.integer(draw.length)]();
  };
  await Promise.all(Array.from({ length: Number(values.clients) }, client));
}

interface Sample {
  seconds: number;
  sent: number;
  megabytes: number;
  files: number;
  threads: number;
}
const entries = (folder: string) => readdirSync(`/proc/${server.pid}/${folder}`).length;
const startedAt = performance.now();
const samples: Sample[] = [];
const sample = () =>
  samples.push({
    seconds: (performance.now() - startedAt) / 1000,
    sent: [...statuses.values()].reduce((sum, count) => sum + count, 0),
    megabytes: (processUsage(server.pid)?.residentBytes ?? 0) / 2 ** 20,
    files: entries("fd"),
    threads: entries("task"),
  });

await send("create", "/v1/collections", json("POST", { name: "c", model: "starter-clip" }));
const requests = Number(values.requests);
await run(requests / 10);
const timer = setInterval(sample, 1000);
const warm = (performance.now() - startedAt) / 1000;
await run(requests);
clearInterval(timer);
const end = (performance.now() - startedAt) / 1000;

const mean = (list: Sample[], pick: (one: Sample) => number) =>
  list.reduce((sum, one) => sum + pick(one), 0) / list.length;
const quarters = [0, 1, 2, 3].map((q) => {
  const at = (share: number) => warm + share * (end - warm);
  return samples.filter(({ seconds }) => seconds >= at(q / 4) && seconds < at((q + 1) / 4));
});
console.log(`${requests} requests from ${values.clients} clients in ${(end - warm).toFixed(0)} s`);
console.log("mean of each quarter:");
for (const what of ["megabytes", "files", "threads"] as const)
  console.log(
    `  ${what}: ${quarters.map((list) => mean(list, (o) => o[what]).toFixed(1)).join(", ")}`,
  );
const ratio = mean(quarters[3], (o) => o.megabytes) / mean(quarters[1], (o) => o.megabytes);
console.log(`memory, last quarter to the second: ${ratio.toFixed(3)}`);
console.log([...statuses].map(([key, count]) => `${key}: ${count}`).join(", "));
const { code, ms } = await server.stop();
console.log(`stopped with ${code} after ${ms.toFixed(0)} ms`);
if (values.plot !== undefined) writeFileSync(values.plot, plot());
process.exit();

/** Megabytes over time, with the quarters. */
function plot(): string {
  const top = Math.max(...samples.map(({ megabytes }) => megabytes)) * 1.1;
  const x = (seconds: number) => 60 + (480 * (seconds - warm)) / (end - warm);
  const y = (megabytes: number) => 240 - (220 * megabytes) / top;
  const line = samples.map((one) => `${x(one.seconds).toFixed(1)},${y(one.megabytes).toFixed(1)}`);
  const step = 10 ** Math.floor(Math.log10(top));
  const marks = Array.from({ length: Math.floor(top / step) + 1 }, (_, i) => i * step);
  const text = (left: number, bottom: number, what: string, anchor = "middle") =>
    `<text x="${left}" y="${bottom}" text-anchor="${anchor}">${what}</text>`;
  const parts = [
    ...marks.map(
      (v) => `<path d="M60 ${y(v)}H540" stroke="#ddd"/>${text(54, y(v) + 4, `${v}`, "end")}`,
    ),
    ...[0, 1, 2, 3, 4].map((q) =>
      text(60 + 120 * q, 258, `${(((end - warm) * q) / 4).toFixed(0)} s`),
    ),
    `<polyline points="${line.join(" ")}" fill="none" stroke="#06c" stroke-width="2"/>`,
    text(66, 14, "MB of the server and its decoders", "start"),
  ];
  return (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 560 270" font-family="sans-serif" ' +
    `font-size="12">\n<rect width="560" height="270" fill="#fff"/>\n${parts.join("\n")}\n</svg>\n`
  );
}
