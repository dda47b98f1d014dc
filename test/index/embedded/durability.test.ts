import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import type { EmbeddedStore } from "../../../src/index/embedded/embedded-store.js";
import { openEmbeddedStore } from "../../../src/index/embedded/open-embedded-store.js";
import type { StoredItem } from "../../../src/index/item.js";
import { seededRandom } from "../../../src/math/random.js";
import { dot } from "../../../src/math/vector.js";

/**
 * More by hand: CROSSMODAL_DURABILITY_ROUNDS=1000 npx vitest run
 * test/index/embedded/durability.test.ts
 */
const rounds = Number(process.env.CROSSMODAL_DURABILITY_ROUNDS ?? 50);
const child = fileURLToPath(new URL("./durability-child.ts", import.meta.url));
const dataDir = mkdtempSync(join(tmpdir(), "crossmodal-durability-"));
afterAll(() => rmSync(dataDir, { recursive: true }));

/**
 * What may be in the store: per id the generation last acknowledged (undefined: deleted), and those
 * not yet answered.
 */
interface Known {
  acknowledged: string | undefined;
  possible: Set<string | undefined>;
}

describe("the embedded store under SIGKILL", () => {
  it(
    `loses nothing that was acknowledged and answers right, in ${rounds} rounds`,
    async () => {
      // Two folders side by side, one per core: most of a round is the start of a process.
      const acknowledged = await Promise.all([killOften("left", 11), killOften("right", 12)]);
      expect(Math.min(...acknowledged)).toBeGreaterThan(rounds * 15);
    },
    30_000 + rounds * 5_000,
  );
});

/** @returns how many writes were acknowledged, all of them found again. */
async function killOften(name: string, seed: number): Promise<number> {
  const folder = join(dataDir, name);
  const random = seededRandom(seed);
  const known = new Map<string, Known>();
  let acknowledged = 0;
  for (let round = 0; round < rounds / 2; round++) {
    const lines = await runAndKill(folder, round, 5 + random.integer(150));
    for (const line of lines) acknowledged += follow(known, line);
    const store = await openEmbeddedStore({
      dataDir: folder,
      scanUpTo: 50,
      scanHighUpTo: 50,
      snapshotAfter: 40,
    });
    await check(store, known);
    await store.close();
  }
  return acknowledged;
}

type Line = {
  trying?: string[];
  stored?: string[];
  deleting?: string[];
  deleted?: string[];
  generation?: string;
};

/**
 * Starts the child, kills it some milliseconds after its first word, and gives the whole lines that
 * it said.
 */
function runAndKill(folder: string, seed: number, afterMs: number): Promise<Line[]> {
  return new Promise((resolve, reject) => {
    const writer = spawn(process.execPath, ["--import", "tsx", child, folder, String(seed)], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    let said = "";
    let errors = "";
    writer.stderr.on("data", (chunk: Buffer) => {
      errors += chunk;
    });
    writer.stdout.on("data", (chunk: Buffer) => {
      if (said === "") setTimeout(() => writer.kill("SIGKILL"), afterMs);
      said += chunk;
    });
    writer.on("error", reject);
    writer.on("close", (code, signal) => {
      if (signal !== "SIGKILL")
        reject(new Error(`The writer ended by itself (${signal ?? code}):\n${errors}${said}`));
      else
        resolve(
          said
            .split("\n")
            .slice(0, -1)
            .map((line) => JSON.parse(line) as Line),
        );
    });
  });
}

/** @returns how many writes the line acknowledges. */
function follow(
  known: Map<string, Known>,
  { trying, stored, deleting, deleted, generation }: Line,
): number {
  const of = (id: string) => {
    const found = known.get(id) ?? { acknowledged: undefined, possible: new Set([undefined]) };
    known.set(id, found);
    return found;
  };
  for (const id of trying ?? []) of(id).possible.add(generation);
  for (const id of deleting ?? []) of(id).possible.add(undefined);
  for (const id of stored ?? [])
    known.set(id, { acknowledged: generation, possible: new Set([generation]) });
  for (const id of deleted ?? [])
    known.set(id, { acknowledged: undefined, possible: new Set([undefined]) });
  return (stored ?? deleted ?? []).length;
}

async function check(store: EmbeddedStore, known: Map<string, Known>) {
  const items: StoredItem[] = [];
  if ((await store.listCollections()).length > 0)
    for await (const item of store.scan("c")) items.push(item);
  const found = new Map(items.map((item) => [item.id, item.metadata.generation as string]));
  expect(found.size).toBe(items.length);
  for (const [id, state] of known) {
    expect([...state.possible], `${id}, acknowledged ${state.acknowledged}`).toContain(
      found.get(id),
    );
    // From now on it is known which of the possible states came to be.
    known.set(id, { acknowledged: found.get(id), possible: new Set([found.get(id)]) });
  }
  if (items.length === 0) return;
  const stats = await store.stats("c");
  expect(stats.count).toBe(items.length);
  const query = items[0].embedding;
  const expected = items
    .map((item) => dot(query, item.embedding))
    .sort((a, b) => b - a)
    .slice(0, 10);
  const [{ neighbors }] = await store.search("c", [{ embedding: query, topK: 10 }]);
  // 300 vectors and a search at least 96 wide: the graph finds what the loop finds.
  neighbors.forEach(({ similarity }, i) => {
    expect(similarity).toBeCloseTo(expected[i], 6);
  });
  expect(neighbors).toHaveLength(Math.min(10, items.length));
}
