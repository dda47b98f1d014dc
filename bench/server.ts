/**
 * What does a server in a process of its own make of its models, over HTTP?
 *
 *     npm run build && npm run bench:server -- FOLDER… [--concurrency 1,4,16] [--seconds 5]
 *         [--rounds 3] [--threads 1] [--port 8098] [--peer URL --peer-model NAME]
 *
 * FOLDER is a model in the hub's layout. For each tower: inputs a second by the number of clients
 * that wait for an answer each, the times of answers, how long the main loop was held, how much of
 * the time the graph was idle, and the share of the rate that ONNX Runtime alone reaches with ready
 * tensors: on a machine that does nothing else, and beside as many clients that send as many
 * requests to a server that does nothing (idle-clients.ts). The three take turns. With CLAP also
 * sounds a second that are classified among 50 labels, beside the pipeline of transformers.js. With
 * `--peer`, a server that answers POST /embeddings in infinity-emb's shape gets the same pictures,
 * in turn with ours.
 *
 * No two inputs are equal, but labels: the server remembers embeddings, and computes equal inputs
 * under way once.
 */
import { fork } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { cpus, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { PretrainedModelOptions } from "@huggingface/transformers";
import type { Modality } from "../src/encoders/encoder.js";
import { modalities } from "../src/encoders/manifest.js";
import { readManifest } from "../src/encoders/read-manifest.js";
import { startDecodingPool } from "../src/media/decoding-pool.js";
import { findManifest } from "../src/models/store.js";
import { bareSession } from "./encoder-ways.js";
import { embeddingRequest, freshInput, photo, sound } from "./fresh-inputs.js";
import { linkModel } from "./link-model.js";
import { postJson } from "./post-json.js";
import { readArguments } from "./read-arguments.js";
import { startServerProcess } from "./server-process.js";

const { values, positionals } = readArguments(import.meta.url, {
  allowPositionals: true,
  options: {
    concurrency: { type: "string", default: "1,4,16" },
    seconds: { type: "string", default: "5" },
    rounds: { type: "string", default: "3" },
    threads: { type: "string", default: "1" },
    port: { type: "string", default: "8098" },
    peer: { type: "string" },
    "peer-model": { type: "string", default: "peer-clip" },
  },
});
const [seconds, rounds, threads] = [values.seconds, values.rounds, values.threads].map(Number);
/** Inputs in a run of the bare session, as the server has on a processor (batch-buckets.ts). */
const batch = 8;

const dataDir = await mkdtemp(join(tmpdir(), "crossmodal-bench-"));
const ids = await Promise.all(positionals.map((folder) => linkModel(folder, dataDir)));
const flags = ["--models", ids.join(","), "--threads", `${threads}`];
const server = await startServerProcess({ port: Number(values.port), flags, dataDir });
const media = startDecodingPool();

/** NaN without any. */
const at = (share: number, list: readonly number[]) =>
  [...list].sort((a, b) => a - b).at(Math.min(list.length - 1, Math.floor(share * list.length))) ??
  Number.NaN;
const median = (list: readonly number[]) => at(0.5, list);

interface Load {
  perSecond: number;
  ms: number[];
}

/** So many clients for some seconds, each with one request under way; what is slow at first not. */
async function load(
  clients: number,
  request: () => Promise<unknown>,
  forSeconds = seconds,
): Promise<Load> {
  const ms: number[] = [];
  const begin = performance.now();
  const from = begin + 200 * forSeconds;
  const until = begin + 1000 * forSeconds;
  const client = async () => {
    for (let start = begin; start < until; ) {
      start = performance.now();
      await request();
      const end = performance.now();
      if (end >= from && end <= until) ms.push(end - start);
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  return { perSecond: (1000 * ms.length) / (until - from), ms };
}

/**
 * The server's own figures. `lagMs` is the 99th percentile of the main loop's delays since the last
 * call, without a timer's own 10 ms; `graphSeconds` how long the graph has run.
 */
async function serverFigures(id: string, modality: Modality) {
  const text = await (await fetch(`${server.url}/metrics`)).text();
  const figure = (name: string) =>
    Number(
      text
        .split("\n")
        .find((line) => line.startsWith(`${name} `))
        ?.split(" ")[1] ?? 0,
    );
  const graph = `crossmodal_graph_seconds_total{model="${id}",modality="${modality}"}`;
  return {
    at: performance.now(),
    lagMs: Math.max(0, 1000 * figure("nodejs_eventloop_lag_p99_seconds") - 10),
    graphSeconds: figure(graph),
  };
}

/** Runs `work` beside clients of a server that does nothing. */
async function besideClients<T>(
  modality: Modality,
  { clients, perSecond }: { clients: number; perSecond: number },
  work: () => Promise<T>,
): Promise<T> {
  const script = fileURLToPath(new URL("idle-clients.ts", import.meta.url));
  const child = fork(script, [modality, `${clients}`, `${perSecond}`]);
  try {
    await new Promise((resolve, reject) => {
      child.once("message", resolve);
      child.once("exit", () => reject(new Error("The clients ended")));
    });
    return await work();
  } finally {
    child.kill();
  }
}

async function measureTower(id: string, modality: Modality): Promise<void> {
  const path = findManifest(dataDir, id);
  const manifest = await readManifest(path);
  const file = manifest.towers[modality]?.files.fp32?.path;
  if (file === undefined) return;
  const folder = dirname(path);
  const inputs = { image: photo, audio: sound, texts: [freshInput("text")] };
  const setting = { folder, manifest, modality, file, batch, threads, inputs };
  const tokenizer = join(folder, manifest.towers.text!.preprocess.tokenizer.path);
  const bare = await bareSession(setting, media, readFileSync(tokenizer, "utf8"));
  const embed = () => postJson(`${server.url}/v1/embeddings`, embeddingRequest(id, modality));
  await bare.run(1);
  const batches = Math.max(1, Math.round((1000 * seconds) / (await bare.run(1)).ms));
  const bareRate = async () => (1000 * batch * batches) / (await bare.run(batches)).ms;
  for (const clients of values.concurrency.split(",").map(Number)) {
    const rates = { alone: [] as number[], beside: [] as number[] };
    const [loads, lags, idle]: [Load[], number[], number[]] = [[], [], []];
    for (let round = 0; round < rounds; round++) {
      rates.alone.push(await bareRate());
      await load(clients, embed, 1);
      const before = await serverFigures(id, modality);
      const one = await load(clients, embed);
      const after = await serverFigures(id, modality);
      loads.push(one);
      lags.push(after.lagMs);
      const ranMs = 1000 * (after.graphSeconds - before.graphSeconds);
      idle.push(1 - ranMs / (after.at - before.at));
      const { perSecond } = one;
      rates.beside.push(await besideClients(modality, { clients, perSecond }, bareRate));
    }
    const rate = median(loads.map(({ perSecond }) => perSecond));
    const ms = loads.flatMap((one) => one.ms);
    const cells = [
      rate.toFixed(1),
      (rate / median(rates.alone)).toFixed(2),
      (rate / median(rates.beside)).toFixed(2),
      `${(100 * median(idle)).toFixed(1)} %`,
      `${at(0.5, ms).toFixed(0)} / ${at(0.99, ms).toFixed(0)}`,
      median(lags).toFixed(1),
    ];
    console.log(`| ${id} ${modality} | ${clients} | ${cells.join(" | ")} |`);
  }
  await bare.close();
}

/**
 * Sounds among 50 labels: the server, and what the pipeline `zero-shot-audio-classification` of
 * transformers.js does for each sound: it encodes labels and sound. Its graph has both encoders in
 * one, which exports seldom have beside them; here they are two. It gets samples.
 */
async function classifySounds(id: string): Promise<void> {
  const labels = Array.from({ length: 50 }, (_, i) => `thing number ${i}`);
  const hf = await import("@huggingface/transformers");
  hf.env.localModelPath = join(dataDir, "models");
  hf.env.allowRemoteModels = false;
  const session_options = { intraOpNumThreads: threads };
  const options = { dtype: "fp32", device: "cpu", session_options } as PretrainedModelOptions;
  const tokenizer = await hf.AutoTokenizer.from_pretrained(id);
  const processor = await hf.AutoProcessor.from_pretrained(id, {});
  const texts = await hf.ClapTextModelWithProjection.from_pretrained(id, options);
  const sounds = await hf.ClapAudioModelWithProjection.from_pretrained(id, options);
  const { decodeAudio } = await import("../src/media/audio/decode-audio.js");
  const samples = Float32Array.from((await decodeAudio(sound, { maxSeconds: 60 })).samples);
  const prompts = labels.map((label) => `This is a sound of ${label}.`);
  const theirs = async () => {
    await texts(tokenizer(prompts, { padding: true, truncation: true }));
    await sounds(await processor(samples));
  };
  const ours = () =>
    postJson(`${server.url}/v1/zero-shot`, {
      model: id,
      audio: freshInput("audio"),
      candidate_labels: labels,
    });
  await ours();
  await theirs();
  const ratios: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const mine = (await load(1, ours)).perSecond;
    const start = performance.now();
    let calls = 0;
    for (; performance.now() - start < 1000 * seconds; calls++) await theirs();
    const other = (1000 * calls) / (performance.now() - start);
    ratios.push(mine / other);
    console.log(`50 labels, sounds/s: ${mine.toFixed(2)}; transformers.js: ${other.toFixed(2)}`);
  }
  console.log(`ratio ${median(ratios).toFixed(2)}`);
  await texts.dispose();
  await sounds.dispose();
}

/** The same pictures to infinity-emb and to this server, in turn. */
async function comparePeer(id: string, peer: string): Promise<void> {
  const picture = () => `data:image/jpeg;base64,${freshInput("image")}`;
  const asked = (url: string, model: string) => () =>
    postJson(url, { model, input: [picture()], modality: "image", encoding_format: "base64" });
  const clients = 2 * batch;
  const [mine, other]: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round++) {
    mine.push((await load(clients, asked(`${server.url}/v1/embeddings`, id))).perSecond);
    other.push((await load(clients, asked(`${peer}/embeddings`, values["peer-model"]))).perSecond);
  }
  const [a, b] = [median(mine), median(other)];
  console.log(
    `pictures/s, ${clients} clients: ${a.toFixed(2)}; peer: ${b.toFixed(2)}; ` +
      `ratio ${(a / b).toFixed(2)}`,
  );
}

try {
  console.log(`${cpus()[0].model}, ${cpus().length} cores, Node ${process.version}`);
  console.log(`${threads} threads in a graph, ${rounds} rounds of ${seconds} s, medians\n`);
  console.log(
    "| tower | clients | inputs/s | of the bare session | of the same beside clients | " +
      "graph idle | ms, p50 / p99 | lag p99, ms |",
  );
  console.log("|---|---|---|---|---|---|---|---|");
  for (const id of ids) for (const modality of modalities) await measureTower(id, modality);
  for (const id of ids) {
    const { towers } = await readManifest(findManifest(dataDir, id));
    if (towers.audio !== undefined) await classifySounds(id);
    if (towers.image !== undefined && values.peer !== undefined) await comparePeer(id, values.peer);
  }
} finally {
  await media.close();
  await server.stop();
  rmSync(dataDir, { recursive: true, force: true });
}
process.exit();
