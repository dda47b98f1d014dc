import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { EmbeddedStore } from "../../../src/index/embedded/embedded-store.js";
import { openEmbeddedStore } from "../../../src/index/embedded/open-embedded-store.js";
import { matchFilter } from "../../../src/index/match-filter.js";
import type { Query } from "../../../src/index/query.js";
import { seededRandom } from "../../../src/math/random.js";
import { dot } from "../../../src/math/vector.js";
import { coneVector, randomItems } from "../random-items.js";

const dimensions = 16;
const random = seededRandom(3);
const pole = coneVector(random, dimensions);
const items = randomItems(6000, dimensions).map((item) => ({
  ...item,
  metadata: { ...item.metadata, far: dot(pole, item.embedding) < 0 },
}));

describe("the search plan over 6,000 items with a graph", () => {
  const dataDir = mkdtempSync(join(tmpdir(), "crossmodal-plan-"));
  let store: EmbeddedStore;
  let left = items;
  beforeAll(async () => {
    store = await openEmbeddedStore({ dataDir, scanUpTo: 500, scanHighUpTo: 500 });
    await store.createCollection({ name: "c", space: "s", dimensions, fields: ["n"] });
    await store.upsert("c", items);
    await store.warmUp("c");
    await store.whenIndexed();
  });
  afterAll(async () => {
    await store.close();
    rmSync(dataDir, { recursive: true });
  });

  const queries = (more: Partial<Query>): Query[] =>
    Array.from({ length: 40 }, () => ({
      embedding: coneVector(random, dimensions),
      topK: 10,
      ...more,
    }));

  /** indexRecallAtK at 10, and the plans taken, against a loop over all items. */
  const measure = async (some: Query[], among = items) => {
    const results = await store.search("c", some);
    let found = 0;
    let wanted = 0;
    for (const [i, { neighbors }] of results.entries()) {
      const query = some[i];
      const right = among
        .filter(({ modality }) => query.modality === undefined || query.modality === modality)
        .filter(({ metadata }) => query.filter === undefined || matchFilter(query.filter, metadata))
        .map(({ id, embedding }) => ({
          id,
          similarity: dot(embedding, query.embedding as Float32Array),
        }))
        .sort((a, b) => b.similarity - a.similarity)
        .slice(0, query.topK);
      const ids = new Set(neighbors.map(({ id }) => id));
      found += right.filter(({ id }) => ids.has(id)).length;
      wanted += right.length;
    }
    return { recall: found / wanted, plans: [...new Set(results.map(({ plan }) => plan))] };
  };

  it("goes through the graph, with recall as promised", async () => {
    // Measured on this data: 1 for both.
    const high = await measure(queries({}));
    expect(high.plans).toEqual(["graph"]);
    expect(high.recall).toBeGreaterThanOrEqual(0.99);
    const fast = await measure(queries({ recall: "fast" }));
    expect(fast.recall).toBeGreaterThanOrEqual(0.95);
  });

  it("scans when exact is asked for, and then misses nothing", async () => {
    expect(await measure(queries({ recall: "exact" }))).toEqual({ recall: 1, plans: ["exact"] });
  });

  it("scans what a selective filter leaves", async () => {
    const filter = { field: "n", op: "lt", value: 60 } as const;
    expect(await measure(queries({ filter }))).toEqual({ recall: 1, plans: ["exact"] });
  });

  it("asks the graph for more under a mild filter or a modality", async () => {
    const filter = { field: "colour", op: "in", value: ["red", "green"] } as const;
    const filtered = await measure(queries({ filter }));
    expect(filtered.plans).toEqual(["graph"]);
    expect(filtered.recall).toBeGreaterThanOrEqual(0.99);
    const ofModality = await measure(queries({ modality: "image" }));
    expect(ofModality.plans).toContain("graph");
    expect(ofModality.recall).toBeGreaterThanOrEqual(0.99);
  });

  it("is right when a mild filter leaves only what is far from the query", async () => {
    const filter = { field: "far", op: "eq", value: true } as const;
    const far = items.filter(({ metadata }) => metadata.far).length;
    expect(far).toBeGreaterThan(2000);
    expect((await measure([{ embedding: pole, topK: 10, filter }])).recall).toBe(1);
  });

  it("finds enough when everything near the query was deleted", async () => {
    const near = [...items]
      .sort((a, b) => dot(pole, b.embedding) - dot(pole, a.embedding))
      .slice(0, 900);
    await store.delete("c", { ids: near.map(({ id }) => id) });
    const gone = new Set(near.map(({ id }) => id));
    left = items.filter(({ id }) => !gone.has(id));
    const { recall } = await measure([{ embedding: pole, topK: 10 }, ...queries({})], left);
    expect(recall).toBeGreaterThanOrEqual(0.99);
  });

  it("answers high by an 8-bit scan, and fast through the graph where scans are slower", async () => {
    await store.close();
    store = await openEmbeddedStore({ dataDir, scanUpTo: 500 });
    await store.warmUp("c");
    await store.whenIndexed();
    expect(await measure(queries({}), left)).toEqual({ recall: 1, plans: ["scan"] });
    const filter = { field: "colour", op: "in", value: ["red", "green"] } as const;
    expect(await measure(queries({ filter }), left)).toEqual({ recall: 1, plans: ["scan"] });
    expect((await measure(queries({ recall: "fast" }), left)).plans).toEqual(["graph"]);
  });
});
