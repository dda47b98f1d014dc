// slow: builds graphs
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { EmbeddedStore } from "../../../src/index/embedded/embedded-store.js";
import { openEmbeddedStore } from "../../../src/index/embedded/open-embedded-store.js";
import type { Item } from "../../../src/index/item.js";
import type { Query } from "../../../src/index/query.js";
import { seededRandom } from "../../../src/math/random.js";
import { dot, normalize } from "../../../src/math/vector.js";

const dimensions = 32;
const random = seededRandom(7);
const centres = Array.from({ length: 60 }, () => gaussian(1.5));
const near = (centre: Float32Array, size: number) =>
  normalize(gaussian(size).map((x, i) => x + centre[i]));
const clustered = () => near(centres[random.integer(centres.length)], 1);
const copied = [clustered(), clustered(), clustered()];

/**
 * Copies come first, as of an empty picture that a crawl begins with: a graph is ruined by few of
 * them then.
 */
const items: Item[] = Array.from({ length: 5000 }, (_, i) => {
  const base = copied[i % copied.length];
  const kind = i < 900 ? "copy" : i < 1500 ? "nearly" : "distinct";
  const embedding = { copy: () => base, nearly: () => near(base, 0.001), distinct: clustered };
  return {
    id: `item-${i}`,
    modality: "image",
    embedding: Float32Array.from(embedding[kind]()),
    metadata: { kind, even: i % 2 === 0 },
  };
});
const distinctQueries = Array.from({ length: 60 }, clustered);
const nearCopies = Array.from({ length: 30 }, (_, i) => near(copied[i % copied.length], 0.15));

describe("a collection where almost a third are copies of three vectors, through the graph", () => {
  const dataDir = mkdtempSync(join(tmpdir(), "crossmodal-copies-"));
  let store: EmbeddedStore;
  let now = [...items];
  const open = async () => {
    store = await openEmbeddedStore({ dataDir, scanUpTo: 500, scanHighUpTo: 500 });
  };
  beforeAll(async () => {
    await open();
    await store.createCollection({ name: "c", space: "s", dimensions });
    await store.upsert("c", items);
    await store.warmUp("c");
    await store.whenIndexed();
  });
  afterAll(async () => {
    await store.close();
    rmSync(dataDir, { recursive: true });
  });

  /**
   * Neighbours as similar as the tenth by a loop over all items, as a share of ten; copies are as
   * good as each other.
   */
  const measure = async (embeddings: Float32Array[], more: Partial<Query> = {}, kind?: string) => {
    const queries = embeddings.map((embedding) => ({ embedding, topK: 10, ...more }));
    const results = await store.search("c", queries);
    const among = now.filter(({ metadata }) => kind === undefined || metadata?.kind === kind);
    let found = 0;
    for (const [i, { neighbors, plan }] of results.entries()) {
      expect(plan).toBe("graph");
      const similarities = among.map(({ embedding }) => dot(embedding, embeddings[i]));
      const tenth = similarities.sort((a, b) => b - a)[9];
      found += neighbors.filter(({ similarity }) => similarity >= tenth - 1e-6).length;
      expect(new Set(neighbors.map(({ id }) => id)).size).toBe(10);
    }
    return found / (10 * embeddings.length);
  };
  const onlyDistinct = { filter: { field: "kind", op: "eq", value: "distinct" } } as const;

  const expectRecall = async () => {
    for (const recall of ["high", "fast"] as const) {
      expect(await measure(distinctQueries, { recall })).toBeGreaterThanOrEqual(0.99);
      expect(await measure(nearCopies, { recall })).toBeGreaterThanOrEqual(0.99);
      const filtered = await measure(nearCopies, { recall, ...onlyDistinct }, "distinct");
      expect(filtered).toBeGreaterThanOrEqual(0.99);
    }
  };

  it("finds what lies around the copies, and beyond a filter that leaves them out", expectRecall);

  it("finds copies by a filter that leaves some of them, oldest first", async () => {
    const filter = { field: "even", op: "eq", value: true } as const;
    const [{ neighbors, plan }] = await store.search("c", [
      { embedding: copied[1], topK: 300, filter },
    ]);
    expect(plan).toBe("graph");
    const even = items.filter(({ metadata, embedding }) => {
      return metadata?.even && dot(embedding, copied[1]) > 0.9999;
    });
    const firstOnes = neighbors.slice(0, even.length).map(({ id }) => id);
    expect(new Set(firstOnes)).toEqual(new Set(even.map(({ id }) => id)));
    const exact = even.filter(({ metadata }) => metadata?.kind === "copy").map(({ id }) => id);
    expect(firstOnes.filter((id) => exact.includes(id))).toEqual(exact);
  });

  it("keeps the others when copies are deleted, those that came first among them", async () => {
    const gone = items.slice(0, 300).map(({ id }) => id);
    await store.delete("c", { ids: gone });
    now = items.slice(300);
    await expectRecall();
  });

  it("takes copies again whose first ones are gone, also after a restart", async () => {
    await store.close();
    await open();
    await store.warmUp("c");
    expect((await store.stats("c")).index.state).toBe("ready"); // from the snapshot
    await expectRecall();
    await store.delete("c", { ids: items.slice(300, 900).map(({ id }) => id) });
    await store.upsert("c", items.slice(0, 600));
    await store.whenIndexed();
    now = [...items.slice(0, 600), ...items.slice(900)];
    expect((await store.stats("c")).index).toMatchObject({ state: "ready", indexed: now.length });
    await expectRecall();
  });

  it("is as right after the graph was built again without what is gone", async () => {
    await store.compact();
    await store.whenIndexed();
    await expectRecall();
  });

  it("answers a collection of one vector many times", async () => {
    await store.createCollection({ name: "same", space: "s", dimensions });
    const same = items.slice(0, 2500).map((item) => ({ ...item, embedding: copied[0].slice() }));
    await store.upsert("same", same);
    await store.warmUp("same");
    await store.whenIndexed();
    for (const recall of ["fast", "high", "exact"] as const) {
      const [{ neighbors }] = await store.search("same", [
        { embedding: copied[1], topK: 10, recall },
      ]);
      expect(neighbors.map(({ id }) => id)).toEqual(same.slice(0, 10).map(({ id }) => id));
    }
  });
});

function gaussian(size: number): Float32Array {
  return Float32Array.from({ length: dimensions }, () => size * random.normal());
}
