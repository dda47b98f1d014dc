/**
 * How fast and how right is search?
 *
 *     npm run bench:search -- [--n 100000] [--dimensions 512] [--queries 500] [--block 50]
 *         [--no-peer] [--no-graphs] [--no-store] [--store postgres://…] [--keep]
 *
 * With --store collections are in that database, whose schema "crossmodal" is dropped at the end;
 * with --keep it stays, and the next run searches what is there.
 *
 * Prints one JSON line per measurement; results and their machine are in bench/README.md.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { scanAll, scanQuantized } from "../src/index/embedded/exact-scan.js";
import type { GraphEngine } from "../src/index/embedded/graph.js";
import { hnswlibEngine } from "../src/index/embedded/hnswlib-graph.js";
import { openEmbeddedStore } from "../src/index/embedded/open-embedded-store.js";
import { usearchEngine } from "../src/index/embedded/usearch-graph.js";
import { VectorTable } from "../src/index/embedded/vector-table.js";
import { openPostgresStore } from "../src/index/postgres/open-postgres-store.js";
import { TopK } from "../src/index/top-k.js";
import type { VectorStore } from "../src/index/vector-store.js";
import { clipLike } from "./clip-like.js";
import { watchLag } from "./lag.js";
import { readArguments } from "./read-arguments.js";

const { values } = readArguments(import.meta.url, {
  options: {
    n: { type: "string", default: "100000" },
    dimensions: { type: "string", default: "512" },
    queries: { type: "string", default: "500" },
    "no-peer": { type: "boolean", default: false },
    "no-graphs": { type: "boolean", default: false },
    "no-store": { type: "boolean", default: false },
    store: { type: "string", default: "" },
    keep: { type: "boolean", default: false },
    block: { type: "string", default: "50" },
  },
});
type Store = VectorStore & {
  whenIndexed(): Promise<void>;
  warmUp?(name: string): Promise<void>;
};
const n = Number(values.n);
const dimensions = Number(values.dimensions);
const topK = 10;
const widths = [32, 64, 96, 128, 192, 384, 512, 768, 1024, 1536, 2048, 3072];
const { corpus, inDistribution, crossModal } = clipLike(n, dimensions, Number(values.queries));
const folder = mkdtempSync(join(tmpdir(), "crossmodal-bench-"));
const print = (what: string, facts: object) => console.log(JSON.stringify({ what, n, ...facts }));

const table = new VectorTable(dimensions);
corpus.forEach((vector, i) => {
  table.append(i + 1, 1, vector);
});

const exact = (query: Float32Array) => {
  const top = new TopK(topK);
  scanAll(table, query, top);
  return top.sorted().map(({ row }) => row);
};
const truth = new Map(
  [...inDistribution, ...crossModal].map((query) => [query, new Set(exact(query))]),
);
print("plain scan", timed(crossModal, exact));
const inBits = (query: Float32Array) => {
  const top = new TopK(topK);
  scanQuantized(table, [{ vector: query, top }]);
  return top.sorted().map(({ row }) => row);
};
const beganCopy = performance.now();
while (table.isCopyBehind) table.extendCopy();
print("copy in 8 bits", {
  milliseconds: Math.round(performance.now() - beganCopy),
});
print("scan in 8 bits", {
  recallCross: round(recall(crossModal, inBits), 4),
  ...timed(crossModal, inBits),
});
print("scan in 8 bits, eight queries at once", together());

const chosen = [usearchEngine, ...(values["no-peer"] ? [] : [hnswlibEngine()])];
const engines = values["no-graphs"] ? [] : chosen.map(buildGraph);
if (engines.length === 2) {
  const [ours, peer] = engines.map(({ buildCpuSeconds }) => buildCpuSeconds);
  print("build against hnswlib-node", { byCpuTime: round(ours / peer) });
}
for (const efSearch of engines.length === 0 ? [] : widths) measureWidth(efSearch);
if (!values["no-store"]) await measureStore();
rmSync(folder, { recursive: true });

/** What a server does when queries wait: eight share a scan. Times are per query. */
function together() {
  const times: number[] = [];
  const cpu = process.cpuUsage();
  for (let i = 0; i + 8 <= crossModal.length; i += 8) {
    const start = performance.now();
    scanQuantized(
      table,
      crossModal.slice(i, i + 8).map((vector) => ({ vector, top: new TopK(topK) })),
    );
    for (let j = 0; j < 8; j++) times.push((performance.now() - start) / 8);
  }
  return { ...speed(times), cpuMs: round(cpuMs(cpu) / times.length, 3) };
}

function buildGraph(engine: GraphEngine) {
  const graph = engine.create(dimensions);
  const start = performance.now();
  const cpu = process.cpuUsage();
  const rowsPerCall = 8;
  for (let i = 0; i < n; i += rowsPerCall) {
    const some = corpus.slice(i, i + rowsPerCall);
    const packed = new Float32Array(some.length * dimensions);
    some.forEach((vector, j) => {
      packed.set(vector, j * dimensions);
    });
    graph.add(
      some.map((_, j) => i + j + 1),
      packed,
    );
  }
  const buildSeconds = (performance.now() - start) / 1000;
  const buildCpuSeconds = cpuMs(cpu) / 1000;
  const file = join(folder, "graph");
  graph.save(file);
  const fileMegabytes = statSync(file).size / 1e6;
  rmSync(file);
  const facts = {
    buildSeconds: round(buildSeconds),
    buildCpuSeconds: round(buildCpuSeconds),
  };
  print(`${engine.name} build`, {
    ...facts,
    fileMegabytes: round(fileMegabytes),
  });
  return { name: engine.name, graph, buildCpuSeconds };
}

/**
 * The engines answer blocks of queries in turn, so that what else the machine does meets them
 * alike. With blocks of one query each also finds the caches filled by the other, which a server
 * with one engine never does.
 */
function measureWidth(efSearch: number) {
  const find = ({ name, graph }: (typeof engines)[number], query: Float32Array) => {
    if (name.startsWith("hnswlib")) return graph.search(query, efSearch, topK);
    const top = new TopK(topK); // int8 nominates, float32 decides, as in search-plan.ts
    for (const row of graph.search(query, efSearch, 40 + 6 * topK))
      top.offer(table.dot(row - 1, query), row, row - 1);
    return top.sorted().map(({ row }) => row);
  };
  const times = engines.map((): number[] => []);
  const cpuTimes = engines.map(() => 0);
  const queries = [...crossModal, ...inDistribution, ...crossModal];
  const block = Number(values.block);
  for (let start = 0; start < queries.length; start += block) {
    engines.forEach((engine, i) => {
      const cpu = process.cpuUsage();
      for (const query of queries.slice(start, start + block)) {
        const began = performance.now();
        find(engine, query);
        times[i].push(performance.now() - began);
      }
      cpuTimes[i] += cpuMs(cpu);
    });
  }
  engines.forEach((engine, i) => {
    print(engine.name, {
      efSearch,
      recallSame: round(
        recall(inDistribution, (query) => find(engine, query)),
        4,
      ),
      recallCross: round(
        recall(crossModal, (query) => find(engine, query)),
        4,
      ),
      ...speed(times[i]),
      cpuMs: round(cpuTimes[i] / queries.length, 3),
    });
  });
  if (engines.length === 2) {
    const [ours, peer] = times.map((some) => percentiles(some).p50Ms);
    const byCpuTime = round(cpuTimes[1] / cpuTimes[0]);
    const peerCpuMs = cpuTimes[1] / queries.length;
    for (const [way, { p50Ms, cpuMs }] of [
      ["scan in 8 bits", timed(crossModal, inBits)],
      ["scan in 8 bits, eight queries at once,", together()],
    ] as const) {
      const ratios = {
        byP50: round(peer / p50Ms),
        byCpuTime: round(peerCpuMs / cpuMs),
      };
      print(`${way} against hnswlib-node`, { efSearch, ...ratios });
    }
    print("speed against hnswlib-node", {
      efSearch,
      block,
      byP50: round(peer / ours),
      byCpuTime,
    });
  }
}

/**
 * The whole store, through its thread: adding with the graph built beside it, searching, filters.
 */
async function measureStore() {
  const dataDir = join(folder, "data");
  const open = (): Promise<Store> =>
    values.store === "" ? openEmbeddedStore({ dataDir }) : openPostgresStore({ url: values.store });
  const store = await open();
  const isThere = (await store.listCollections()).some(({ count }) => count === n);
  if (!isThere) await fill(store, dataDir);
  let start = performance.now();
  const plan = async () =>
    (await store.search("bench", [{ embedding: crossModal[0], topK }]))[0].plan;
  // Each server of a database makes its copy when it is asked first, of 2,000 items or more.
  while (n >= 2000 && (await plan()) !== "scan")
    await new Promise((resolve) => setTimeout(resolve, 50));
  print("store: first scan in 8 bits", {
    milliseconds: Math.round(performance.now() - start),
    residentMegabytes: Math.round(process.memoryUsage.rss() / 1e6),
  });

  for (const [recall, callers] of [
    ["high", 1],
    ["high", 8],
    ["fast", 8],
    ["exact", 8],
  ] as const) {
    const searching = watchLag();
    const times: number[] = [];
    const cpu = process.cpuUsage();
    const ofDatabase = databaseCpuMs();
    start = performance.now();
    const queue = [...crossModal];
    let found = 0;
    const worker = async () => {
      for (let query = queue.pop(); query !== undefined; query = queue.pop()) {
        const began = performance.now();
        const [{ neighbors }] = await store.search("bench", [{ embedding: query, topK, recall }]);
        times.push(performance.now() - began);
        const rows = neighbors.map(({ id }) => Number(id.slice("item-".length)) + 1);
        found += rows.filter((row) => truth.get(query)?.has(row)).length;
      }
    };
    await Promise.all(Array.from({ length: callers }, worker));
    const qps = Math.round((crossModal.length * 1000) / (performance.now() - start));
    print(`store: search ${recall}, callers: ${callers}`, {
      recallCross: round(found / (crossModal.length * topK), 4),
      qps,
      ...percentiles(times),
      cpuMs: round(cpuMs(cpu) / crossModal.length, 3),
      databaseCpuMs: round((databaseCpuMs() - ofDatabase) / crossModal.length, 3),
      ...searching.stop(),
    });
  }

  for (const [share, below] of [
    ["10 %", 100],
    ["1 %", 10],
    [".1 %", 1],
  ] as const) {
    const filter = { field: "n", op: "lt", value: below } as const;
    const facts: Record<string, number> = {};
    for (const recall of ["high", "exact"] as const) {
      const times: number[] = [];
      for (const [i, embedding] of crossModal.slice(0, 100).entries()) {
        // Another filter each time, so that nothing is remembered.
        const fresh = {
          and: [filter, { field: "n", op: "gte", value: -1 - i }],
        } as const;
        const began = performance.now();
        await store.search("bench", [{ embedding, topK, recall, filter: { and: [...fresh.and] } }]);
        times.push(performance.now() - began);
      }
      facts[`${recall}P50Ms`] = percentiles(times).p50Ms;
    }
    print(`store: filter ${share}`, facts);
  }
  await store.close();
  start = performance.now();
  const again = await open();
  await again.search("bench", [{ embedding: crossModal[0], topK }]);
  print("store: open and first search", {
    milliseconds: Math.round(performance.now() - start),
  });
  await again.close();
  if (values.store !== "" && !values.keep) await inDatabase("drop schema crossmodal cascade");
}

async function fill(store: Store, dataDir: string): Promise<void> {
  await store.createCollection({
    name: "bench",
    space: "bench",
    dimensions,
    fields: ["n"],
  });
  const adding = watchLag();
  const start = performance.now();
  for (let i = 0; i < n; i += 500) {
    const items = corpus.slice(i, i + 500).map((embedding, j) => ({
      id: `item-${i + j}`,
      modality: "image" as const,
      embedding,
      metadata: { n: (i + j) % 1000 },
    }));
    await store.upsert("bench", items);
  }
  const addSeconds = (performance.now() - start) / 1000;
  await store.warmUp?.("bench");
  await store.whenIndexed();
  const settleSeconds = (performance.now() - start) / 1000;
  print("store: add", {
    itemsPerSecond: Math.round(n / addSeconds),
    untilGraphReadySeconds: round(settleSeconds),
    ...adding.stop(),
    residentMegabytes: Math.round(process.memoryUsage.rss() / 1e6),
    databaseMegabytes: Math.round((await databaseBytes(dataDir)) / 1e6),
  });
}

async function databaseBytes(dataDir: string): Promise<number> {
  if (values.store === "") return statSync(join(dataDir, "crossmodal.sqlite")).size;
  const [row] = await inDatabase("select pg_database_size(current_database())::float8 as size");
  return row.size;
}

async function inDatabase(sql: string) {
  const client = new pg.Client({ connectionString: values.store });
  await client.connect();
  const { rows } = await client.query(sql);
  await client.end();
  return rows;
}

/** Processor time of all PostgreSQL processes of this machine, to 10 ms; 0 without --store. */
function databaseCpuMs(): number {
  if (values.store === "") return 0;
  let ticks = 0;
  for (const id of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const [, name, rest] =
        /^\d+ \((.*)\) (.*)$/s.exec(readFileSync(`/proc/${id}/stat`, "utf8")) ?? [];
      const fields = rest?.split(" ") ?? [];
      if (name === "postgres") ticks += Number(fields[11]) + Number(fields[12]);
    } catch {
      // It has ended since.
    }
  }
  return ticks * 10;
}

/**
 * Processor time of this process since then: what a busy machine changes least. The engines run on
 * one thread.
 */
function cpuMs(since: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(since);
  return (user + system) / 1000;
}

function recall(queries: Float32Array[], find: (query: Float32Array) => number[]): number {
  let found = 0;
  for (const query of queries)
    found += find(query).filter((row) => truth.get(query)?.has(row)).length;
  return found / (queries.length * topK);
}

function timed(queries: Float32Array[], find: (query: Float32Array) => unknown) {
  const cpu = process.cpuUsage();
  const times = queries.map((query) => {
    const start = performance.now();
    find(query);
    return performance.now() - start;
  });
  return { ...speed(times), cpuMs: round(cpuMs(cpu) / queries.length, 3) };
}

function speed(times: number[]) {
  return {
    qps: Math.round((times.length * 1000) / times.reduce((a, b) => a + b)),
    ...percentiles(times),
  };
}

function percentiles(times: number[]) {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (share: number) =>
    round(sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))], 3);
  return { p50Ms: at(0.5), p99Ms: at(0.99) };
}

function round(x: number, digits = 2): number {
  return Number(x.toFixed(digits));
}
