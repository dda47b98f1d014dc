/**
 * How much slower is search while the index works in the background?
 *
 *     npx tsx bench/search-under-work.ts [--n 100000] [--dimensions 384] [--searches 60]
 *         [--recall high]
 *
 * Adds items and measures searches that follow each other: in quiet, right after a restart, with
 * the files of the folder `index` and without them, and while a graph is built. Prints a JSON line
 * for each, with its p50 as a multiple of a quiet one measured right after it.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { EmbeddedStore } from "../src/index/embedded/embedded-store.js";
import { openEmbeddedStore } from "../src/index/embedded/open-embedded-store.js";
import type { Recall } from "../src/index/query.js";
import { clipLike } from "./clip-like.js";
import { readArguments } from "./read-arguments.js";

const { values } = readArguments(import.meta.url, {
  options: {
    n: { type: "string", default: "100000" },
    dimensions: { type: "string", default: "384" },
    searches: { type: "string", default: "60" },
    recall: { type: "string", default: "high" },
  },
});
const n = Number(values.n);
const dimensions = Number(values.dimensions);
const recall = values.recall as Recall;
const { corpus, crossModal } = clipLike(n, dimensions, Number(values.searches));
const dataDir = mkdtempSync(join(tmpdir(), "crossmodal-bench-"));

let store = await openEmbeddedStore({ dataDir, scanUpTo: 10 * n });
await store.createCollection({ name: "bench", space: "bench", dimensions });
for (let i = 0; i < n; i += 500) {
  const items = corpus.slice(i, i + 500).map((embedding, j) => {
    return { id: `item-${i + j}`, modality: "image" as const, embedding };
  });
  await store.upsert("bench", items);
}
await store.warmUp("bench");
await store.whenIndexed();
await searched(store); // warms code and memory up
print("quiet", {}, await searched(store));
await store.close();

await afterRestart("after a restart");
rmSync(join(dataDir, "index"), { recursive: true, force: true });
await afterRestart("after a restart without the files");

// With a limit of half the items a graph is built; scans go on answering `high`, and `fast` until
// it is ready.
store = await openEmbeddedStore({ dataDir, scanUpTo: n / 2 });
await store.warmUp("bench");
const { indexed: before } = (await store.stats("bench")).index;
await searched(store);
const building = await searched(store);
const rowsBuilt = (await store.stats("bench")).index.indexed - before;
await store.close();
rmSync(join(dataDir, "index"), { recursive: true, force: true });
store = await openEmbeddedStore({ dataDir, scanUpTo: 10 * n });
await searched(store);
const quiet = await searched(store);
await store.close();
print("while a graph is built", { ...ratio(building, quiet), rowsBuilt }, building);
rmSync(dataDir, { recursive: true });

/** Searches right after the first one, which reads the collection, and again a little later. */
async function afterRestart(what: string) {
  store = await openEmbeddedStore({ dataDir, scanUpTo: 10 * n });
  const start = performance.now();
  await store.search("bench", [{ embedding: crossModal[0], topK: 10, recall }]);
  const firstMs = Math.round(performance.now() - start);
  const times = await searched(store);
  print(what, { ...ratio(times, await searched(store)), firstMs }, times);
  await store.close();
}

/** @returns times in milliseconds. */
async function searched(some: EmbeddedStore): Promise<number[]> {
  const times: number[] = [];
  for (const embedding of crossModal) {
    const began = performance.now();
    await some.search("bench", [{ embedding, topK: 10, recall }]);
    times.push(performance.now() - began);
  }
  return times;
}

function ratio(times: number[], quiet: number[]) {
  return { p50OverQuiet: Number((percentile(times, 0.5) / percentile(quiet, 0.5)).toFixed(2)) };
}

function percentile(times: number[], share: number): number {
  return [...times].sort((a, b) => a - b)[Math.floor(share * times.length)];
}

function print(what: string, more: object, times: number[]) {
  const ms = (share: number) => Number(percentile(times, share).toFixed(2));
  console.log(JSON.stringify({ what, n, recall, ...more, p50Ms: ms(0.5), p90Ms: ms(0.9) }));
}
