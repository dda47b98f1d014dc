/**
 * Pictures and sounds that are decoded and made into tensors, a second, by the pool of decoding
 * processes:
 *
 *     npx tsx bench/decoding.ts [--processes 2] [--concurrency 16] [--rounds 9] [--seconds 2]
 *         [--build dist]
 *                            [--against DIST] [FILE…]
 *
 * With --build, its code is that of a build, as it is when served. With --against, the `dist` of a
 * build from when media was decoded in threads (commit d1fd135), both take turns in one run and the
 * ratio is printed. Tensors are those of the starter packs.
 */
import { readFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { basename, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { imageSide } from "../src/encoders/manifest.js";
import { lookUpPixels, pixelTables } from "../src/encoders/preprocess/normalize-pixels.js";
import { readManifest } from "../src/encoders/read-manifest.js";
import type { Media } from "../src/media/media.js";
import { processUsage } from "../src/media/process-usage.js";
import { sniffFormat } from "../src/media/sniff.js";
import { findManifest } from "../src/models/store.js";
import { readArguments } from "./read-arguments.js";

const { values, positionals } = readArguments(import.meta.url, {
  allowPositionals: true,
  options: {
    processes: { type: "string", default: "2" },
    concurrency: { type: "string", default: "16" },
    rounds: { type: "string", default: "9" },
    seconds: { type: "string", default: "2" },
    against: { type: "string" },
    build: { type: "string" },
  },
});
const files =
  positionals.length > 0
    ? positionals
    : [
        "fixtures/images/cat.jpg",
        "fixtures/images/page.png",
        "fixtures/audio/crow.wav",
        "fixtures/audio/rain.ogg",
        "fixtures/golden/media/audio/exact_48k_mono_10s.flac",
      ];
const [concurrency, rounds, seconds] = [
  Number(values.concurrency),
  Number(values.rounds),
  Number(values.seconds),
];
const image = (await readManifest(findManifest(tmpdir(), "starter-clip"))).towers.image!;
const audio = (await readManifest(findManifest(tmpdir(), "starter-clap"))).towers.audio!;
const pictures = new Set(["jpeg", "png", "webp", "gif", "avif", "tiff"]);

const build = values.build === undefined ? "../src" : pathToFileURL(resolve(values.build)).href;
const { startDecodingPool }: typeof import("../src/media/decoding-pool.js") = await import(
  `${build}/media/decoding-pool.js`
);
const ways: Record<string, Media> = {
  processes: startDecodingPool({ processes: Number(values.processes) }),
};
if (values.against !== undefined) {
  const old = resolve(values.against, "encoders/preprocess/media-workers.js");
  const { startMediaWorkers } = await import(pathToFileURL(old).href);
  const threads = startMediaWorkers(Number(values.processes));
  ways.threads = { ...threads, imagePixels: threads.imageTensor };
}

const batch = new Float32Array(3 * imageSide(image.preprocess) ** 2);

/** One file, from its bytes to its tensors. */
async function work(media: Media, bytes: Uint8Array): Promise<void> {
  if (pictures.has(sniffFormat(bytes) ?? "")) {
    const picture = await media.decodeImage(bytes, { maxPixels: 1e8 });
    // Into a batch, as the session's thread does it; threads made a tensor that was copied there.
    const pixels: Uint8Array | Float32Array = await media.imagePixels(picture, image.preprocess);
    if (pixels instanceof Float32Array) batch.set(pixels);
    else lookUpPixels(pixels, pixelTables(image.preprocess), batch);
    picture.dispose?.(); // what threads decode is not disposed of
  } else {
    const sound = await media.decodeAudio(bytes, { maxSeconds: 3600 });
    await media.audioTensors(sound, audio.preprocess);
    sound.dispose?.();
  }
}

/**
 * Files a second while `concurrency` of them are under way, and the processor time of one in
 * milliseconds.
 */
async function measure(media: Media, bytes: Uint8Array): Promise<{ rate: number; cpuMs: number }> {
  const start = performance.now();
  const cpuBefore = processUsage(process.pid)?.cpuMs ?? 0;
  let done = 0;
  const client = async () => {
    while (performance.now() - start < seconds * 1000) {
      await work(media, bytes);
      done++;
    }
  };
  await Promise.all(Array.from({ length: concurrency }, client));
  const cpuMs = ((processUsage(process.pid)?.cpuMs ?? 0) - cpuBefore) / done;
  return { rate: (done * 1000) / (performance.now() - start), cpuMs };
}

const median = (numbers: number[]) =>
  [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];

console.log(
  `${cpus()[0].model}, ${cpus().length} cores, Node ${process.version}; ${values.processes} ` +
    `processes, ${concurrency} at once, median of ${rounds} rounds`,
);
for (const file of files) {
  const bytes = new Uint8Array(readFileSync(file));
  const results: Record<string, { rate: number; cpuMs: number }[]> = {};
  const names = Object.keys(ways);
  for (const name of names) await work(ways[name], bytes); // starts it
  for (let round = 0; round < rounds; round++) {
    for (const name of round % 2 === 0 ? names : [...names].reverse()) {
      results[name] ??= [];
      results[name].push(await measure(ways[name], bytes));
    }
  }
  const line = Object.entries(results).map(([name, all]) => {
    const rate = median(all.map((result) => result.rate));
    const cpuMs = median(all.map((result) => result.cpuMs));
    return `${name} ${rate.toFixed(1)}/s, ${cpuMs.toFixed(2)} ms of processor time`;
  });
  const { processes, threads } = results;
  if (threads !== undefined) {
    const ratio = (of: "rate" | "cpuMs") =>
      median(processes.map((result, i) => result[of] / threads[i][of])).toFixed(3);
    line.push(`ratio ${ratio("rate")}, of processor time ${ratio("cpuMs")}`);
  }
  console.log([basename(file).padEnd(28), ...line].join("  "));
}
for (const media of Object.values(ways)) await media.close();
