/**
 * Encoder throughput, from the file to the embedding, beside the bare ONNX Runtime session and
 * transformers.js:
 *
 *     npm run bench:encoders -- [FOLDER…] [--batch 1,16,32] [--threads 1] [--rounds 5]
 *         [--seconds 4] [--modality image]
 *                               [--image FILE] [--audio FILE] [--json]
 *
 * FOLDER is a model in the hub's layout (its id is the folder's name); without one the starter
 * packs are measured, which transformers.js cannot load. The ways take turns in blocks of about
 * `--seconds`, so that what else the machine does weighs on all alike; medians over the rounds and
 * their ratios to the bare session of the same threads are printed, and the processor time of an
 * item, which a busy machine changes less.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type DataType, modalities } from "../src/encoders/manifest.js";
import { readManifest } from "../src/encoders/read-manifest.js";
import { startDecodingPool } from "../src/media/decoding-pool.js";
import { findManifest } from "../src/models/store.js";
import { bareSession, type Setting, server, transformersJs, type Way } from "./encoder-ways.js";
import { linkModel } from "./link-model.js";
import { readArguments } from "./read-arguments.js";

const { values, positionals } = readArguments(import.meta.url, {
  allowPositionals: true,
  options: {
    batch: { type: "string", default: "1,16,32" },
    threads: { type: "string", default: "1" },
    rounds: { type: "string", default: "5" },
    seconds: { type: "string", default: "4" },
    modality: { type: "string" },
    image: { type: "string", default: "fixtures/images/cat.jpg" },
    audio: { type: "string", default: "fixtures/golden/media/audio/exact_48k_mono_10s.flac" },
    json: { type: "boolean", default: false },
  },
});
const [threads, rounds, seconds] = [
  Number(values.threads),
  Number(values.rounds),
  Number(values.seconds),
];
const inputs = {
  image: new Uint8Array(readFileSync(values.image)),
  audio: new Uint8Array(readFileSync(values.audio)),
  texts: ["rain", "a dog", "a crow", "the sea"].flatMap((what) =>
    ["in the morning", "behind the house", "far away", "on a tin roof"].map(
      (where) => `the sound of ${what} ${where}`,
    ),
  ),
};
const median = (numbers: number[]) =>
  [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];

const dataDir = mkdtempSync(join(tmpdir(), "crossmodal-bench-"));
const media = startDecodingPool();
try {
  const ids =
    positionals.length === 0
      ? ["starter-clip", "starter-clap"]
      : await Promise.all(positionals.map((folder) => linkModel(folder, dataDir)));
  if (!values.json) {
    console.log(
      `${cpus()[0].model}, ${cpus().length} cores, Node ${process.version}; ${threads} ` +
        "threads in a graph",
    );
    console.log(
      `items a second, median of ${rounds} rounds of about ${seconds} s a way, and the ratio ` +
        "to the bare session\n",
    );
    const ways = ["bare", "server", "transformers.js"].map((name) =>
      `${name}, cpu ms`.padStart(26),
    );
    console.log(`${"tower".padEnd(26)}batch${ways.join("")}`);
  }
  for (const id of ids) {
    const path = findManifest(dataDir, id);
    const manifest = await readManifest(path);
    for (const modality of modalities) {
      const files = manifest.towers[modality]?.files;
      if (files === undefined || (values.modality !== undefined && values.modality !== modality))
        continue;
      const dtype = (["fp32", "fp16", "int8", "q4"] as DataType[]).find(
        (type) => files[type] !== undefined,
      )!;
      const folder = dirname(path);
      for (const batch of values.batch.split(",").map(Number)) {
        const setting = {
          folder,
          manifest,
          modality,
          file: files[dtype]!.path,
          batch,
          threads,
          inputs,
        };
        report(`${id} ${modality} ${dtype}`, batch, await measure(setting, positionals.length > 0));
      }
    }
  }
} finally {
  await media.close();
  rmSync(dataDir, { recursive: true, force: true });
}

/**
 * By way and round: items a second, and milliseconds of processor time an item (all threads of this
 * process).
 */
type Rates = Record<string, { perSecond: number[]; cpuMs: number[] }>;

async function measure(setting: Setting, hubLayout: boolean): Promise<Rates> {
  const { folder, manifest, batch } = setting;
  const tokenizerJson = readFileSync(
    join(folder, manifest.towers.text!.preprocess.tokenizer.path),
    "utf8",
  );
  const ways: Record<string, Way> = {
    bare: await bareSession(setting, media, tokenizerJson),
    server: await server(setting, dataDir),
  };
  if (hubLayout) ways["transformers.js"] = await transformersJs(setting, dataDir);
  try {
    const rates: Rates = {};
    await ways.bare.run(1); // first runs cost more
    const { ms } = await ways.bare.run(1);
    const batches = Math.max(2, Math.round((1000 * seconds) / ms));
    for (const way of Object.values(ways)) await way.run(2);
    for (let round = 0; round < rounds; round++) {
      for (const [name, way] of Object.entries(ways)) {
        const items = batch * batches;
        const { ms, cpuMs } = await way.run(batches);
        rates[name] ??= { perSecond: [], cpuMs: [] };
        rates[name].perSecond.push((1000 * items) / ms);
        rates[name].cpuMs.push(cpuMs / items);
      }
    }
    return rates;
  } finally {
    for (const way of Object.values(ways)) await way.close();
  }
}

function report(tower: string, batch: number, rates: Rates): void {
  if (values.json) {
    console.log(JSON.stringify({ tower, batch, threads, rates }));
    return;
  }
  const bare = median(rates.bare.perSecond);
  const cells = ["bare", "server", "transformers.js"].map((name) => {
    if (rates[name] === undefined) return "-".padStart(26);
    const rate = median(rates[name].perSecond);
    return `${rate.toFixed(2)} (${(rate / bare).toFixed(3)}) ${median(rates[name].cpuMs).toFixed(1).padStart(7)}`.padStart(
      26,
    );
  });
  console.log(tower.padEnd(26) + String(batch).padStart(5) + cells.join(""));
}
