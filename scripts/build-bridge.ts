/**
 * Builds the default bridge from starter-clap to starter-clip and measures it beside the other
 * methods.
 *
 *   npx tsx scripts/build-bridge.ts --sounds sounds.csv --pictures pictures.csv [--method
 *       ridge] [--out DIR] [--data-dir DIR]
 *
 * Both tables have the lines `path,label`. A line with an empty label is memory, what a user has
 * lying about unlabelled; a line with a label is what recall is measured on, and is not in the
 * memory.
 */

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { defaultDataDir } from "../src/config/data-folder.js";
import type { Embedding, ModalityInput } from "../src/encoders/encoder.js";
import { applyHead, type ProjectionHead, writeHead } from "../src/encoders/head.js";
import { PackLoader } from "../src/encoders/load.js";
import { EmbeddingCache } from "../src/encoders/with-cache.js";
import { type Rows, rowsOf } from "../src/math/rows.js";
import { startDecodingPool } from "../src/media/decoding-pool.js";
import { findManifest } from "../src/models/store.js";
import { fitBridge } from "../src/training/bridge.js";
import { type BridgeMethod, bridgeMethods } from "../src/training/bridge-options.js";
import { crossRecall } from "../src/training/bridge-report.js";
import { bridgeTexts } from "../src/training/bridge-texts.js";
import { softRetrieve } from "../src/training/text-pivot.js";

const { values: given } = parseArgs({
  options: {
    sounds: { type: "string" },
    pictures: { type: "string" },
    method: { type: "string", default: "ridge" },
    out: { type: "string", default: "models/bridges/starter-clap-to-starter-clip" },
    "data-dir": { type: "string", default: defaultDataDir(process.env) },
  },
});
const { sounds: soundTable, pictures: pictureTable, out } = given;
const method = bridgeMethods.find((name) => name === given.method);
if (soundTable === undefined || pictureTable === undefined || method === undefined) {
  throw new TypeError(
    `--sounds and --pictures are needed; --method is one of ${bridgeMethods.join(", ")}`,
  );
}

const media = startDecodingPool({ processes: 2 });
const cache = new EmbeddingCache(0);
const loader = new PackLoader({
  device: "cpu",
  dtype: "auto",
  maxBatch: 32,
  media,
  cache,
});
const clap = await loader.load(findManifest(given["data-dir"], "starter-clap"));
const clip = await loader.load(findManifest(given["data-dir"], "starter-clip"));

const texts = bridgeTexts();
const textsFrom = rowsOf(await inBatches(texts, (batch) => clap.encoders.text!.encode(batch)));
const textsTo = rowsOf(await inBatches(texts, (batch) => clip.encoders.text!.encode(batch)));
console.error(`${texts.length} texts in both spaces`);
const sounds = await embedTable(soundTable, "sounds", async (bytes): Promise<Embedding> => {
  const sound: ModalityInput["audio"] = await media.decodeAudio(bytes, { maxSeconds: 30 });
  return (await clap.encoders.audio!.encode([sound]))[0];
});
const pictures = await embedTable(pictureTable, "pictures", async (bytes): Promise<Embedding> => {
  const picture = await media.decodeImage(bytes, { maxPixels: 50_000_000 });
  return (await clip.encoders.image!.encode([picture]))[0];
});

const items = pictures.measured;
const measure = (rows: Rows, labels: readonly string[]) => crossRecall({ rows, labels }, items);
const heads = {} as Record<BridgeMethod, ProjectionHead>;
const results: Record<string, ReturnType<typeof crossRecall>> = {};
const queries = sounds.measured;
for (const name of bridgeMethods) {
  heads[name] = await fitBridge({
    method: name,
    textsFrom,
    textsTo,
    memoryFrom: rowsOf(sounds.memory),
    memoryTo: rowsOf(pictures.memory),
  });
  results[name] = measure(
    rowsOf(applyHead(heads[name], embeddingsOf(queries.rows))),
    queries.labels,
  );
  console.error(name, JSON.stringify(results[name]));
}
results["text-pivot"] = measure(
  softRetrieve(queries.rows, textsFrom, textsTo, { topK: 20 }),
  queries.labels,
);
const labels = [...new Set(queries.labels)];
const labelRows = rowsOf(
  await clip.encoders.text!.encode(labels.map((label) => `a photo of a ${label}.`)),
);
const ofQuery = queries.labels.map((label) => labels.indexOf(label));
results["label as text (ceiling)"] = measure(
  rowsOf(ofQuery.map((at) => embeddingsOf(labelRows)[at])),
  queries.labels,
);

mkdirSync(out, { recursive: true });
const metadata = {
  name: "starter-clap-to-starter-clip",
  from_space: clap.space,
  to_space: clip.space,
  method,
};
writeFileSync(`${out}/bridge.safetensors`, writeHead(heads[method], metadata));
const report = {
  ...metadata,
  texts: texts.length,
  memory: { sounds: sounds.memory.length, pictures: pictures.memory.length },
  measured: {
    sounds: queries.labels.length,
    pictures: items.labels.length,
    labels: new Set(items.labels).size,
  },
  recall: results,
};
writeFileSync(`${out}/report.json`, `${JSON.stringify(report, undefined, 2)}\n`);
console.log(table(results));
await Promise.all([clap.dispose(), clip.dispose()]);
await media.close();

async function inBatches<T>(
  list: readonly T[],
  encode: (batch: T[]) => Promise<Embedding[]>,
): Promise<Embedding[]> {
  const all: Embedding[] = [];
  for (let from = 0; from < list.length; from += 64)
    all.push(...(await encode(list.slice(from, from + 64))));
  return all;
}

/** Embeds the files of a table; a file that cannot be decoded is named and left out. */
async function embedTable(
  path: string,
  what: string,
  embed: (bytes: Uint8Array) => Promise<Embedding>,
) {
  const lines = readFileSync(path, "utf8").trim().split("\n");
  const memory: Embedding[] = [];
  const measured: Embedding[] = [];
  const measuredLabels: string[] = [];
  for (const line of lines) {
    const comma = line.lastIndexOf(",");
    try {
      const embedding = await embed(new Uint8Array(readFileSync(line.slice(0, comma))));
      const label = line.slice(comma + 1);
      if (label === "") memory.push(embedding);
      else {
        measured.push(embedding);
        measuredLabels.push(label);
      }
    } catch (error) {
      console.error(`left out: ${line.slice(0, comma)}: ${(error as Error).message}`);
    }
  }
  console.error(`${lines.length} ${what}`);
  return { memory, measured: { rows: rowsOf(measured), labels: measuredLabels } };
}

function embeddingsOf({ values, dimensions }: Rows): Embedding[] {
  return Array.from({ length: values.length / dimensions }, (_, i) =>
    values.subarray(i * dimensions, (i + 1) * dimensions),
  );
}

function table(all: typeof results): string {
  const [first] = Object.values(all);
  const ks = ["at_1", "at_5", "at_10"] as const;
  const lines = Object.entries(all).map(([name, recall]) => {
    const cells = ks.map(
      (k) =>
        `${recall[k].recall.toFixed(3)} ` +
        `(${recall[k].interval.map((x) => x.toFixed(2)).join(" to ")})`,
    );
    return `| ${name} | ${cells.join(" | ")} |`;
  });
  const chance = `| chance | ${ks.map((k) => first[k].chance.toFixed(3)).join(" | ")} |`;
  return [
    "| method | recall@1 | recall@5 | recall@10 |",
    "|---|---|---|---|",
    ...lines,
    chance,
  ].join("\n");
}
