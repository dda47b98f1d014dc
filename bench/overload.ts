/**
 * What a server does that is offered more than it can do: how soon it refuses, what it still
 * answers, what memory it takes.
 *
 *     npx tsx bench/overload.ts [--factor 3] [--seconds 60] [--port 8099]
 *
 * Starts `dist/cli.js serve` (`npm run build` first). Pictures and sounds to classify, sentences to
 * embed, searches and health checks: first from 16 clients that wait for their answers, which tells
 * what the server can do, then at `factor` times that rate whether it answers or not.
 */
import { readFileSync } from "node:fs";
import { readArguments } from "./read-arguments.js";
import { startServerProcess } from "./server-process.js";

const { values } = readArguments(import.meta.url, {
  options: {
    factor: { type: "string", default: "3" },
    seconds: { type: "string", default: "60" },
    port: { type: "string", default: "8099" },
  },
});
const seconds = Number(values.seconds);
const server = await startServerProcess({ port: Number(values.port) });
const picture = readFileSync("fixtures/images/cat.jpg");
const sound = readFileSync("fixtures/audio/dog.mp3");
let number = 0;

const post = (path: string, body: unknown) => ({
  path,
  method: "POST",
  headers: { "content-type": "application/json" },
  body: JSON.stringify(body),
});
const zeroShot = (field: string, file: Buffer) => {
  const boundary = "a-boundary";
  const part = (name: string) => `--${boundary}\r\nContent-Disposition: form-data; name="${name}"`;
  return {
    path: "/v1/zero-shot",
    method: "POST",
    headers: { "content-type": `multipart/form-data; boundary=${boundary}` },
    body: Buffer.concat([
      Buffer.from(`${part("candidate_labels")}\r\n\r\n["cat","dog"]\r\n`),
      Buffer.from(`${part(field)}; filename="x"\r\n\r\n`),
      file,
      Buffer.from(`${number++}\r\n--${boundary}--\r\n`), // no two alike: nothing is remembered
    ]),
  };
};
const health = { path: "/health/ready", method: "GET", headers: {}, body: undefined };
const kinds = {
  image: () => zeroShot("image", picture),
  audio: () => zeroShot("audio", sound),
  embed: () =>
    post("/v1/embeddings", { input: Array.from({ length: 8 }, () => `sentence ${number++}`) }),
  search: () => post("/v1/collections/c/search", { text: `query ${number++}`, top_k: 10 }),
  health: () => health,
};
const mix = ["image", "audio", "embed", "search", "image", "search", "embed", "health"] as const;

type Request = ReturnType<(typeof kinds)[keyof typeof kinds]>;
async function send({ path, ...init }: Request): Promise<{ status: number; ms: number }> {
  const start = performance.now();
  const response = await fetch(`${server.url}${path}`, init);
  await response.arrayBuffer();
  return { status: response.status, ms: performance.now() - start };
}

await send(post("/v1/collections", { name: "c", model: "starter-clip" }));
const items = Array.from({ length: 1000 }, (_, i) => ({ id: `${i}`, text: `thing number ${i}` }));
await send(post("/v1/collections/c/items", { items }));

const capacitySeconds = 10;
let answered = 0;
let turn = 0;
const end = performance.now() + 1000 * capacitySeconds;
const client = async () => {
  while (performance.now() < end)
    if ((await send(kinds[mix[turn++ % mix.length]]())).status === 200) answered++;
};
await Promise.all(Array.from({ length: 16 }, client));
const capacity = answered / capacitySeconds;
const before = server.residentBytes();

const rate = capacity * Number(values.factor);
const results: { kind: string; status: number; ms: number }[] = [];
const open = new Set<Promise<void>>();
const probes: number[] = [];
let most = 0;
const probe = setInterval(() => {
  most = Math.max(most, server.residentBytes());
  const live = { ...health, path: "/health/live" };
  void send(live).then(({ ms }) => probes.push(ms));
}, 250);
const start = performance.now();
for (let sent = 0; performance.now() - start < 1000 * seconds; ) {
  for (const due = ((performance.now() - start) / 1000) * rate; sent < due; sent++) {
    const kind = mix[sent % mix.length];
    const request = send(kinds[kind]()).then((result) => {
      results.push({ kind, ...result });
      open.delete(request);
    });
    open.add(request);
  }
  await new Promise((resolve) => setTimeout(resolve, 5));
}
const good = results.filter(({ status }) => status === 200).length / seconds;
await Promise.all(open);
clearInterval(probe);

const megabytes = (bytes: number) => Math.round(bytes / 2 ** 20);
const at = (share: number, list: number[]) =>
  [...list].sort((a, b) => a - b)[Math.floor(share * list.length)]?.toFixed(0);
console.log(
  `capacity ${capacity.toFixed(0)}/s, offered ${rate.toFixed(0)}/s for ${seconds} s: ` +
    `${good.toFixed(0)} answers/s`,
);
console.log(`memory, with decoders: ${megabytes(before)} MiB before, ${megabytes(most)} at most`);
console.log(`/health/live: p50 ${at(0.5, probes)}, p99 ${at(0.99, probes)} ms`);
for (const kind of Object.keys(kinds)) {
  for (const status of [200, 429]) {
    const times = results.filter((one) => one.kind === kind && one.status === status);
    const ms = times.map((one) => one.ms);
    if (ms.length === 0) continue;
    console.log(
      `${kind} ${status}: ${ms.length}, p50 ${at(0.5, ms)}, p99 ${at(0.99, ms)}, longest ` +
        `${at(1 - 1e-9, ms)} ms`,
    );
  }
}
await server.stop();
process.exit();
