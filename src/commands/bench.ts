import { mkdtemp, rm } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import type { Command } from "commander";
import type { Modality, ModalityInput } from "../encoders/encoder.js";
import type { LoadedPack } from "../encoders/load.js";
import { openEmbeddedStore } from "../index/embedded/open-embedded-store.js";
import { createLog } from "../log.js";
import { seededRandom } from "../math/random.js";
import { createServices } from "../services.js";
import { addConfigFlags, configOf, modelFlags, parseNumber } from "./options.js";
import { print } from "./output.js";
import { table } from "./table.js";

interface EncodeRate {
  model: string;
  modality: Modality;
  provider: string;
  dtype: string;
  batch: number;
  itemsPerSecond: number;
}

interface SearchTimes {
  items: number;
  dimensions: number;
  recall: "exact" | "high";
  plan: string;
  p50Ms: number;
  p99Ms: number;
}

/** `crossmodal bench`: how fast this machine embeds and searches, on generated inputs. */
export function benchCommand(program: Command): void {
  const command = program
    .command("bench")
    .description("measure how fast this machine embeds and searches")
    .option("--seconds <n>", "minimum time for each measurement", parseNumber, 2)
    .option(
      "--items <n>",
      "vectors in the temporary collection that is searched",
      parseNumber,
      10_000,
    )
    .option("--json", "print the result as JSON");
  addConfigFlags(command, ["dataDir", ...modelFlags, "maxBatch"]).action(async (flags) => {
    const config = { ...configOf(flags), cacheBytes: 0 }; // cached embeddings would not be measured
    const services = await createServices(config, createLog("error"));
    const encode: EncodeRate[] = [];
    let dimensions = 512;
    try {
      await services.ready;
      for (const pack of services.packs.list()) {
        encode.push(...(await encodeRates(pack, config.maxBatch, flags.seconds)));
        dimensions = pack.manifest.dimensions;
      }
    } finally {
      await services.close();
    }
    const search = await searchTimes(flags.items, dimensions, flags.seconds);
    const machine = { node: process.version, platform: process.platform, arch: process.arch };
    if (flags.json) {
      const rates = encode.map(({ itemsPerSecond, ...rate }) => ({
        ...rate,
        items_per_second: itemsPerSecond,
      }));
      const times = search.map(({ p50Ms, p99Ms, ...time }) => ({
        ...time,
        p50_ms: p50Ms,
        p99_ms: p99Ms,
      }));
      await print(
        JSON.stringify({ ...machine, cores: availableParallelism(), encode: rates, search: times }),
      );
      return;
    }
    await print(
      `Node.js ${machine.node} on ${machine.platform} ${machine.arch}, ` +
        `${availableParallelism()} cores\n`,
    );
    const rates = encode.map((rate) => [
      rate.model,
      rate.modality,
      `${rate.dtype} on ${rate.provider}`,
      rate.batch,
      Number(rate.itemsPerSecond.toPrecision(3)),
    ]);
    for (const line of table(["model", "embeds", "runs as", "batch", "items/s"], rates))
      await print(line);
    const times = search.map(({ items, recall, plan, p50Ms, p99Ms }) => [
      items,
      search[0].dimensions,
      recall,
      plan,
      Number(p50Ms.toPrecision(3)),
      Number(p99Ms.toPrecision(3)),
    ]);
    await print("");
    for (const line of table(
      ["items", "dimensions", "recall", "search", "p50 ms", "p99 ms"],
      times,
    ))
      await print(line);
  });
}

async function encodeRates(
  pack: LoadedPack,
  maxBatch: number,
  seconds: number,
): Promise<EncodeRate[]> {
  const rates: EncodeRate[] = [];
  for (const { modality, provider, dtype } of pack.towers) {
    for (const batch of new Set([1, maxBatch])) {
      const itemsPerSecond = await encodeRate(pack, modality, batch, seconds);
      rates.push({ model: pack.manifest.id, modality, provider, dtype, batch, itemsPerSecond });
    }
  }
  return rates;
}

async function encodeRate(
  pack: LoadedPack,
  modality: Modality,
  batch: number,
  seconds: number,
): Promise<number> {
  const encoder = pack.encoders[modality]!;
  const random = seededRandom(1);
  const inputs = Array.from({ length: batch }, () => generated[modality](random)) as never[];
  await encoder.encode(inputs);
  const start = performance.now();
  let done = 0;
  do {
    await encoder.encode(inputs);
    done += batch;
  } while (performance.now() - start < 1000 * seconds);
  return (1000 * done) / (performance.now() - start);
}

type Random = ReturnType<typeof seededRandom>;
const words =
  "a photo of the small red bus cat dog rain piano in on near two old house street".split(" ");

/**
 * One input of a usual size, already decoded: a picture of 640 x 480, five seconds of sound, a
 * sentence of ten words.
 */
const generated: { [M in Modality]: (random: Random) => ModalityInput[M] } = {
  text: (random) => Array.from({ length: 10 }, () => words[random.integer(words.length)]).join(" "),
  image: (random) => ({
    width: 640,
    height: 480,
    rgb: Uint8Array.from({ length: 640 * 480 * 3 }, () => random.integer(256)),
  }),
  audio: (random) => ({
    sampleRateHz: 48_000,
    samples: Float32Array.from({ length: 5 * 48_000 }, () => random.integer(2000) / 1000 - 1),
  }),
};

async function searchTimes(
  items: number,
  dimensions: number,
  seconds: number,
): Promise<SearchTimes[]> {
  const folder = await mkdtemp(join(tmpdir(), "crossmodal-bench-"));
  const store = await openEmbeddedStore({ dataDir: folder });
  try {
    const random = seededRandom(2);
    await store.createCollection({ name: "bench", space: "bench", dimensions });
    for (let from = 0; from < items; from += 1000) {
      const group = Array.from({ length: Math.min(1000, items - from) }, (_, i) => ({
        id: String(from + i),
        modality: "image" as const,
        embedding: unitVector(random, dimensions),
      }));
      await store.upsert("bench", group);
    }
    while ((await store.stats("bench")).index.state === "building") {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    const found: SearchTimes[] = [];
    for (const recall of ["exact", "high"] as const) {
      const times: number[] = [];
      let plan = "";
      const start = performance.now();
      do {
        const embedding = unitVector(random, dimensions);
        const begin = performance.now();
        const [answer] = await store.search("bench", [{ embedding, topK: 10, recall }]);
        times.push(performance.now() - begin);
        plan = answer.plan;
      } while (performance.now() - start < 1000 * seconds);
      times.sort((a, b) => a - b);
      const at = (share: number) =>
        times[Math.min(times.length - 1, Math.floor(share * times.length))];
      found.push({ items, dimensions, recall, plan, p50Ms: at(0.5), p99Ms: at(0.99) });
    }
    return found;
  } finally {
    await store.close();
    await rm(folder, { recursive: true, force: true });
  }
}

function unitVector(random: Random, dimensions: number): Float32Array {
  const vector = Float32Array.from({ length: dimensions }, () => random.normal());
  const length = Math.hypot(...vector);
  return vector.map((value) => value / length);
}
