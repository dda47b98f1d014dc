/**
 * What do the output types of docs/clients.md lose?
 *
 *     npx tsx bench/output-types.ts [--model starter-clip] [--queries 200]
 *
 * The sentences of docs/, of which some are queries and the others are searched. Prints, for each
 * type, the share of the 10 nearest by float32 that it finds too: int8 and uint8 by cosine, binary
 * and ubinary by Hamming distance, and by Hamming distance with 3 and 4 times as many candidates
 * that are ordered again by float32.
 */
import { readdirSync, readFileSync } from "node:fs";
import { loadConfig } from "../src/config.js";
import type { Embedding } from "../src/encoders/encoder.js";
import { createLog } from "../src/log.js";
import { seededRandom } from "../src/math/random.js";
import { dot, normalize } from "../src/math/vector.js";
import { asOutputType } from "../src/routes/compat/output-types.js";
import { createServices } from "../src/services.js";
import { readArguments } from "./read-arguments.js";

const { values } = readArguments(import.meta.url, {
  options: {
    model: { type: "string", default: "starter-clip" },
    queries: { type: "string", default: "200" },
  },
});
const topK = 10;

const sentences = readdirSync("docs", { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".md"))
  .sort()
  .flatMap((file) => readFileSync(`docs/${file}`, "utf8").split("\n"))
  .filter((line) => /^[A-Z].{30,}\.$/.test(line));
const all = [...new Set(sentences)];

const config = loadConfig({ flags: { models: values.model, logLevel: "error" } });
const services = await createServices(config, createLog("error"));
try {
  const embeddings = await services.packs.find(values.model, "text").encoders.text!.encode(all);
  const order = seededRandom(1).permutation(all.length);
  const shuffled = [...order].map((i) => embeddings[i]);
  const count = Number(values.queries);
  compare(shuffled.slice(0, count), shuffled.slice(count));
} finally {
  await services.close();
}

function compare(queries: readonly Embedding[], items: readonly Embedding[]): void {
  const exact = queries.map((query) => nearest(items.length, (i) => dot(query, items[i]), topK));
  const bits = items.map((item) => asOutputType(item, "ubinary") as number[]);
  const near = queries.map((query) => asOutputType(query, "ubinary") as number[]);
  const rows: Record<string, (position: number) => number[]> = {
    "int8, uint8": (q) => {
      const query = small(queries[q]);
      return nearest(items.length, (i) => dot(query, smallItems[i]), topK);
    },
    "binary, ubinary": (q) => nearest(items.length, (i) => -hamming(near[q], bits[i]), topK),
    ...Object.fromEntries(
      [3, 4].map((factor) => [
        `… and the first ${factor * topK} ordered again`,
        (q: number) => {
          const found = nearest(items.length, (i) => -hamming(near[q], bits[i]), factor * topK);
          return nearest(found.length, (i) => dot(queries[q], items[found[i]]), topK).map(
            (i) => found[i],
          );
        },
      ]),
    ),
  };
  const smallItems = items.map(small);
  console.log(`${queries.length} queries among ${items.length} sentences, ${values.model}`);
  for (const [name, search] of Object.entries(rows)) {
    const shares = queries.map((_, q) => {
      const found = new Set(search(q));
      return exact[q].filter((i) => found.has(i)).length / topK;
    });
    const mean = shares.reduce((sum, share) => sum + share, 0) / shares.length;
    console.log(`${name}: ${(100 * mean).toFixed(1)} %`);
  }
}

function small(embedding: Embedding): Float32Array {
  return normalize(Float32Array.from(asOutputType(embedding, "int8") as number[]));
}

/** The positions of the largest, best first; of equals the first. */
function nearest(count: number, similarity: (i: number) => number, wanted: number): number[] {
  const scored = Array.from({ length: count }, (_, i) => ({ i, similarity: similarity(i) }));
  scored.sort((a, b) => b.similarity - a.similarity || a.i - b.i);
  return scored.slice(0, wanted).map(({ i }) => i);
}

function hamming(a: readonly number[], b: readonly number[]): number {
  let different = 0;
  for (const [i, byte] of a.entries())
    for (let rest = byte ^ b[i]; rest !== 0; rest &= rest - 1) different++;
  return different;
}
