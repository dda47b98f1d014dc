/**
 * Files and bodies made to take as much as they can: what a server answers, after how long, what
 * memory it and its decoders take, and how long its main thread is held.
 *
 *     npx tsx bench/attacks.ts [--port 8099] [NAME…]
 *
 * Starts `dist/cli.js serve` for each (`npm run build` first), and ends it by SIGTERM while the
 * last of them may still be under way.
 */
import sharp from "sharp";
import { progressiveJpeg, silentFlac, silentMp3, silentOpus } from "../test/helpers/bombs.js";
import { readArguments } from "./read-arguments.js";
import { type ServerProcess, startServerProcess } from "./server-process.js";

const { values, positionals } = readArguments(import.meta.url, {
  allowPositionals: true,
  options: { port: { type: "string", default: "8099" } },
});

interface Attack {
  path: string;
  body: string | FormData;
  type?: string;
}

const many = (n: number, attack: () => Attack): Attack[] => Array.from({ length: n }, attack);
const json = (path: string, body: string): Attack => ({ path, body, type: "application/json" });
const lines = (body: string): Attack => ({
  path: "/v1/collections/c/items",
  body,
  type: "application/x-ndjson",
});
function classify(field: "image" | "audio", file: Buffer): Attack {
  const body = new FormData();
  body.append(field, new Blob([file]));
  body.append("candidate_labels", '["cat","dog"]');
  return { path: "/v1/zero-shot", body };
}
const uri = (file: Buffer) => `data:image/png;base64,${file.toString("base64")}`;
const filled = (size: number, entry: (i: number) => string) => {
  const parts: string[] = [];
  for (let length = 0; length < size; length += parts.at(-1)!.length)
    parts.push(entry(parts.length));
  return parts.join();
};
const bodySize = 60 * 2 ** 20;

/** 25 megapixels in 75 kB. */
const png = await sharp({
  create: { width: 5000, height: 5000, channels: 3, background: "#0a141e" },
})
  .png({ compressionLevel: 9 })
  .toBuffer();
const picture = { width: 400, height: 400, noise: { type: "gaussian", mean: 128, sigma: 60 } };
const noise = await sharp({ create: { ...picture, channels: 3 } as never })
  .png()
  .toBuffer();
const numbers = (i: number) => Array.from({ length: 512 }, (_, j) => ((i * 31 + j) % 97) + 1);

const attacks: Record<string, () => Attack[]> = {
  "40 pictures of 25 megapixels in one request": () => [
    json("/v1/embeddings", JSON.stringify({ input: Array(40).fill(uri(png)) })),
  ],
  "40 requests with such a picture": () => many(40, () => classify("image", png)),
  "5 JPEGs of 100 megapixels in 883 scans": () => {
    const file = progressiveJpeg(10_000);
    return Array.from({ length: 5 }, (_, i) =>
      classify("image", Buffer.concat([file, Buffer.from([i])])),
    );
  },
  "FLAC, 263 s at 655,350 Hz": () => many(2, () => classify("audio", silentFlac(263, 655_350))),
  "FLAC, 4 hours at 12 kHz": () => many(2, () => classify("audio", silentFlac(14_399, 11_990))),
  "FLAC, 4 hours at 48 kHz": () => many(2, () => classify("audio", silentFlac(14_390, 48_000))),
  "MP3 of 1 MB, 8 kbit/s": () => many(2, () => classify("audio", silentMp3(1e6))),
  "MP3 of 1 MB, free format": () =>
    many(2, () => classify("audio", silentMp3(1e6, { freeFormat: true }))),
  "Opus of 1 kB": () => many(2, () => classify("audio", silentOpus(250))),
  "Opus of 100 kB": () => many(2, () => classify("audio", silentOpus(33_000))),
  "Opus of 100 kB, 255 channels": () => many(2, () => classify("audio", silentOpus(130, 255))),
  "4 lists of 150,000 texts": () =>
    many(4, () =>
      json(
        "/v1/collections/c/items",
        `{"items":[${Array.from({ length: 150_000 }, (_, i) => `{"text":"${i}${"x".repeat(400)}"}`).join()}]}`,
      ),
    ),
  "4 lists of embeddings, 64 MiB each": () =>
    many(4, () =>
      json(
        "/v1/collections/c/items",
        `{"items":[${filled(bodySize, (i) => `{"id":"${i}","modality":"text","embedding":[${numbers(i).slice(0, 384)}]}`)}]}`,
      ),
    ),
  "4 lists of pictures, 64 MiB each": () =>
    many(4, () =>
      json(
        "/v1/collections/c/items",
        `{"items":[${filled(bodySize, (i) => `{"id":"${i}","image":"${uri(noise)}"}`)}]}`,
      ),
    ),
  "16 streams with a line of 64 MiB": () =>
    many(16, () => lines(`{"id":"a","text":"${"x".repeat(bodySize)}"}\n`)),
  "16 streams of pictures, 64 MiB each": () =>
    many(16, () =>
      lines(
        filled(bodySize, (i) => `{"id":"${i}","image":"${uri(noise)}"}\n`).replaceAll("\n,", "\n"),
      ),
    ),
};

const chosen = Object.keys(attacks).filter(
  (name) => positionals.length === 0 || positionals.some((part) => name.includes(part)),
);
for (const name of chosen) await attempt(name, attacks[name]());
process.exit();

async function attempt(name: string, requests: readonly Attack[]): Promise<void> {
  const server = await startServerProcess({ port: Number(values.port) });
  await warmUp(server);
  const before = server.residentBytes();
  let most = 0;
  let liveMs = 0;
  const watch = setInterval(() => {
    most = Math.max(most, server.residentBytes());
  }, 20);
  const probe = setInterval(async () => {
    const start = performance.now();
    await fetch(`${server.url}/health/live`).catch(() => undefined);
    liveMs = Math.max(liveMs, performance.now() - start);
  }, 50);
  const start = performance.now();
  const answers: Record<string, number> = {};
  const giveUp = AbortSignal.timeout(100_000);
  await Promise.all(
    requests.map(async ({ path, body, type }) => {
      const headers: Record<string, string> = type === undefined ? {} : { "content-type": type };
      const init = { method: "POST", headers, body, signal: giveUp };
      const answer = await fetch(`${server.url}${path}`, init).then(
        async (response) => `${response.status} ${codeIn(await response.text())}`,
        (error: Error) => error.name,
      );
      answers[answer] = (answers[answer] ?? 0) + 1;
    }),
  );
  const seconds = (performance.now() - start) / 1000;
  clearInterval(watch);
  clearInterval(probe);
  const { code, signal, ms } = await server.stop();
  const MiB = (bytes: number) => Math.round(bytes / 2 ** 20);
  console.log(
    `${name}: ${JSON.stringify(answers)} after ${seconds.toFixed(1)} s; ${MiB(before)} MiB + ` +
      `${MiB(most - before)} MiB; ` +
      `live within ${liveMs.toFixed(0)} ms; ended (${signal ?? code}) in ${ms.toFixed(0)} ms`,
  );
}

/** Starts the decoders and fills the caches that any request fills. */
async function warmUp(server: ServerProcess): Promise<void> {
  const headers = { "content-type": "application/json" };
  const collection = JSON.stringify({ name: "c", model: "starter-clip" });
  await fetch(`${server.url}/v1/collections`, { method: "POST", headers, body: collection });
  for (let i = 0; i < 4; i++) {
    const { path, body } = classify("image", noise);
    await fetch(`${server.url}${path}`, { method: "POST", body });
  }
}

function codeIn(text: string): string {
  const codes = text.match(/"code":"\w+"/g) ?? [];
  return [...new Set(codes)].join(" ");
}
