/**
 * How fast are items added over HTTP, and how long is the server's main loop kept from its timers
 * meanwhile? Vectors of 512 numbers, texts, pictures (with and without previews) and sounds, as
 * streams of lines from a process of their own.
 *
 *   npx tsx bench/adds.ts [vectors] [media]      defaults 20000 and 300
 */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import { loadConfig } from "../src/config.js";
import { createLog } from "../src/log.js";
import { seededRandom } from "../src/math/random.js";
import { normalize } from "../src/math/vector.js";
import { startServer } from "../src/server.js";
import { watchLag } from "./lag.js";
import { readArguments } from "./read-arguments.js";

const numbers = { space: "plain", dimensions: 512 };
const cases: Record<string, object> = {
  "vectors as numbers": numbers,
  "vectors as base64": numbers,
  texts: { model: "starter-clip" },
  "pictures of 3 MP, no previews": { model: "starter-clip", previews: false },
  "pictures of 3 MP, previews": { model: "starter-clip", previews: true },
  "sounds of 5 s": { model: "starter-clap" },
};
const { values, positionals } = readArguments(import.meta.url, {
  allowPositionals: true,
  options: { client: { type: "boolean" } }, // how the script calls itself
});
if (values.client) await send(positionals[0], positionals[1], Number(positionals[2]));
else await serve(Number(positionals[0] ?? 20_000), Number(positionals[1] ?? 300));

async function serve(vectors: number, media: number): Promise<void> {
  const dataDir = mkdtempSync(join(tmpdir(), "crossmodal-adds-"));
  // No cache: every picture is a new one to the encoder.
  const config = {
    ...loadConfig({ environment: {} }),
    dataDir,
    device: "cpu",
    port: 0,
    cacheBytes: 0,
  };
  const server = await startServer(config, createLog("silent"));
  for (let ready = false; !ready; ) ready = (await fetch(`${server.url}/health/ready`)).ok;
  for (const [what, collection] of Object.entries(cases)) {
    const name = what.replace(/\W+/g, "-");
    const headers = { "content-type": "application/json" };
    const body = JSON.stringify({ name, ...collection });
    await fetch(`${server.url}/v1/collections`, { method: "POST", headers, body });
    const count = "space" in collection ? vectors : media;
    const args = [
      fileURLToPath(import.meta.url),
      "--client",
      `${server.url}/v1/collections/${name}/items`,
      what,
    ];
    const client = spawn(process.execPath, ["--import", "tsx", ...args, String(count)], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let output = "";
    let lag: ReturnType<typeof watchLag> | undefined;
    client.stdout.on("data", (chunk: Buffer) => {
      lag ??= watchLag(); // its first word: the lines are made
      output += chunk;
    });
    await new Promise((resolve) => client.once("close", resolve));
    const { lagP50Ms, lagP99Ms, lagMaxMs } = lag!.stop();
    console.log(
      `${what.padEnd(30)} ${output.split("\n")[1]}, lag p50 ${lagP50Ms} p99 ${lagP99Ms} max ` +
        `${lagMaxMs} ms`,
    );
  }
  await server.close();
  rmSync(dataDir, { recursive: true });
}

async function send(url: string, what: string, count: number): Promise<void> {
  const random = seededRandom(1);
  const fixture = (path: string) => readFileSync(new URL(`../fixtures/${path}`, import.meta.url));
  const cat = sharp(fixture("images/cat.jpg")).resize(2000, 1500, { fit: "fill" });
  const photo = await cat.jpeg({ quality: 85 }).toBuffer();
  const sound = fixture("audio/rain.ogg");
  const content = () => {
    const vector = normalize(Float64Array.from({ length: 512 }, () => random.normal()));
    if (what === "vectors as numbers") return { embedding: Array.from(vector), modality: "image" };
    if (what === "vectors as base64") {
      return { embedding_base64: Buffer.from(vector.buffer).toString("base64"), modality: "image" };
    }
    if (what === "texts") return { text: `a photo of ${random.integer(1e9)} cats` };
    return what.startsWith("sounds")
      ? { audio: sound.toString("base64") }
      : { image: photo.toString("base64") };
  };
  const lines = Array.from({ length: count }, (_, i) =>
    Buffer.from(`${JSON.stringify({ id: `${i}`, ...content() })}\n`),
  );
  console.log("start");
  const start = performance.now();
  const sent = request(url, {
    method: "POST",
    headers: { "content-type": "application/x-ndjson" },
  });
  const stored = new Promise<number>((resolve, reject) => {
    sent.once("error", reject);
    sent.once("response", async (answer) => {
      let text = "";
      for await (const chunk of answer) text += chunk;
      resolve(text.split('"stored"').length - 1);
    });
  });
  for (const line of lines)
    if (!sent.write(line)) await new Promise((resolve) => sent.once("drain", resolve));
  sent.end();
  const all = await stored;
  console.log(`${all} stored, ${Math.round((1000 * count) / (performance.now() - start))} items/s`);
}
