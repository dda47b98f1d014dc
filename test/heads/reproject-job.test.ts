import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { applyHead, type ProjectionHead } from "../../src/encoders/head.js";
import type { Bridge } from "../../src/heads/bridge-version.js";
import { isBeingBuilt } from "../../src/heads/collection-head.js";
import type { UsableHead } from "../../src/heads/head-version.js";
import { reprojectJob } from "../../src/heads/reproject-job.js";
import { openEmbeddedStore } from "../../src/index/embedded/open-embedded-store.js";
import type { Item, StoredItem } from "../../src/index/item.js";
import type { VectorStore } from "../../src/index/vector-store.js";
import type { Job } from "../../src/jobs/job.js";
import { createLog } from "../../src/log.js";

/** Turns the plane by an angle. */
const turn = (angle: number): ProjectionHead => {
  const [c, s] = [Math.cos(angle), Math.sin(angle)];
  const layer = {
    weight: Float32Array.of(c, s, -s, c),
    bias: new Float32Array(2),
    dimensionsIn: 2,
    dimensionsOut: 2,
  };
  return { kind: "linear", layers: [layer] };
};
const head = (version: number): UsableHead => ({
  formatVersion: 1,
  name: "h",
  version,
  kind: "projection",
  model: "eye",
  fromSpace: "eye@1",
  space: `eye@1+head-${version}`,
  dimensions: 2,
  sides: { a: "image", b: "text" },
  createdAt: "2026-01-01T00:00:00.000Z",
  lineage: { data: "" },
  report: { items: 0, labels: [] },
  a: turn(0.3 * version), // texts are locked
});

let store: VectorStore;
beforeEach(async () => {
  store = await openEmbeddedStore({
    dataDir: mkdtempSync(join(tmpdir(), "crossmodal-reproject-")),
  });
  const options = { model: "eye", head: { name: "h", version: 1 } };
  await store.createCollection({
    name: "photos",
    space: head(1).space,
    dimensions: 2,
    fields: ["year"],
    options,
  });
  await store.upsert(
    "photos",
    Array.from({ length: 450 }, (_, i) => item(i)),
  );
});
afterEach(() => store.close());

function item(
  i: number,
  version = 1,
  modality: Item["modality"] = i % 10 === 0 ? "text" : "image",
): Item {
  const embedding = Float32Array.of(Math.cos(i), Math.sin(i));
  return {
    id: `item-${i}`,
    modality,
    embedding: modality === "text" ? embedding : applyHead(head(version).a!, [embedding])[0],
    original: { space: "eye@1", embedding },
    metadata: { year: 2000 + (i % 20) },
    source: `${i}.jpg`,
    contentHash: `hash-${i}`,
    ...(i === 1 && { preview: { mediaType: "image/png", bytes: Uint8Array.of(1, 2, 3) } }),
  };
}

let bridges: Bridge[];
let active: number;
beforeEach(() => {
  active = 2;
  bridges = [];
});
async function reproject(signal = new AbortController().signal) {
  const heads = {
    use: async (_: string, version = active) => head(version),
    whileKept: (_: unknown, create: () => unknown) => create(),
  } as never;
  const log = createLog("silent");
  const parts = { store, heads, bridges: { active: () => bridges }, log };
  const kind = reprojectJob(parts);
  const job = { id: "abc" } as Job;
  return kind.run({ collection: "photos" }, { job, folder: "", signal, report: () => {} });
}

const all = async () => {
  const items = new Map<string, StoredItem>();
  for await (const one of store.scan("photos")) items.set(one.id, one);
  return items;
};

/** Does something once, while the first items are being copied. */
function during(work: () => Promise<unknown>): void {
  let started = false;
  const { preview } = store;
  store.preview = async (...args) => {
    if (!started) {
      started = true;
      await work();
    }
    return preview.call(store, ...args);
  };
}

describe("reproject", () => {
  it("replaces the collection with every item under the new version, nothing left out", async () => {
    const result = await reproject();
    expect(result).toMatchObject({ collection: "photos", head: "h", version: 2, items: 450 });
    const stats = await store.stats("photos");
    expect(stats).toMatchObject({ space: head(2).space, fields: ["year"], count: 450 });
    expect(stats.options).toMatchObject({ model: "eye", head: { name: "h", version: 2 } });
    expect(isBeingBuilt(stats)).toBe(false);
    const items = await all();
    for (const i of [0, 1, 449]) {
      const { preview: _, ...expected } = item(i, 2);
      expect(items.get(`item-${i}`)).toMatchObject(expected);
    }
    expect(await store.preview("photos", "item-1")).toEqual({
      mediaType: "image/png",
      bytes: Uint8Array.of(1, 2, 3),
    });
    expect((await store.listCollections()).map(({ name }) => name)).toEqual(["photos"]);
  });

  it("has a copy that is told from a collection until the moment it takes its place", async () => {
    const { renameCollection } = store;
    store.renameCollection = async (...args) => {
      expect((await store.listCollections()).map(isBeingBuilt)).toEqual([false, true]);
      return renameCollection.call(store, ...args);
    };
    await reproject();
    expect((await store.listCollections()).map(isBeingBuilt)).toEqual([false]);
  });

  it("carries over concurrent writes; the old version answers until the exchange", async () => {
    during(async () => {
      await store.upsert("photos", [item(1000), { ...item(5), metadata: { year: 1999 } }]);
      await store.delete("photos", { ids: ["item-7"] });
      await store.delete("photos", { filter: { field: "year", op: "eq", value: 2003 } });
      await store.upsert("photos", [item(23)]); // of 2003, added again after it was deleted
      expect((await store.stats("photos")).space).toBe(head(1).space);
    });
    await reproject();
    const items = await all();
    expect(items.get("item-1000")?.embedding).toEqual(item(1000, 2).embedding);
    expect(items.get("item-5")?.metadata).toEqual({ year: 1999 });
    expect(items.has("item-7")).toBe(false);
    expect(items.has("item-3")).toBe(false);
    expect(items.get("item-23")?.embedding).toEqual(item(23, 2).embedding);
    // 450, and one more, and without item 7 and those of 2003 (3, 23, …, 443), of which 23 came
    // back.
    expect(items.size).toBe(450 + 1 - 1 - 23 + 1);
  });

  it("lets a write that was made for the old space fail as such, not vanish", async () => {
    const { renameCollection } = store;
    let late: Promise<unknown> | undefined;
    store.renameCollection = async (...args) => {
      late = store.upsert("photos", [item(2000)], { space: head(1).space });
      late.catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, 20));
      return renameCollection.call(store, ...args);
    };
    await reproject();
    await expect(late).rejects.toMatchObject({ code: "conflict" });
  });

  it("ends with the version that is active by then, also when it is the first one again", async () => {
    during(async () => {
      active = 1;
    });
    expect(await reproject()).toMatchObject({ version: 1, items: 450 });
    expect((await store.stats("photos")).options).toMatchObject({
      model: "eye",
      head: { name: "h", version: 1 },
    });
    expect((await all()).get("item-1")?.embedding).toEqual(item(1).embedding);
  });

  it("goes on with the bridges that it began with, also when their model is unloaded", async () => {
    const heard = { ...item(2000), original: { space: "ear@1", embedding: Float32Array.of(1, 0) } };
    await store.upsert("photos", [heard]);
    const spaces = { fromSpace: "ear@1", toSpace: "eye@1" };
    bridges = [{ name: "ear-to-eye", version: 1, ...spaces, head: turn(0.1), shipped: false }];
    during(async () => {
      bridges = [];
    });
    expect(await reproject()).toMatchObject({ version: 2, items: 451 });
  });

  it("does not replace a collection that was meanwhile created again under its name", async () => {
    during(async () => {
      const { space, dimensions, options } = await store.stats("photos");
      await store.dropCollection("photos");
      await store.createCollection({ name: "photos", space, dimensions, options });
      await store.upsert("photos", [item(3000)]);
    });
    await expect(reproject()).rejects.toMatchObject({ code: "conflict", param: "collection" });
    expect([...(await all()).keys()]).toEqual(["item-3000"]);
    expect(await store.listCollections()).toHaveLength(1);
  });

  it("changes nothing when it is cancelled or an item has no original embedding", async () => {
    const controller = new AbortController();
    during(async () => controller.abort(new Error("enough")));
    await expect(reproject(controller.signal)).rejects.toThrow("enough");
    await store.upsert("photos", [{ ...item(3), original: undefined }]);
    await expect(reproject()).rejects.toMatchObject({ code: "space_mismatch" });
    expect(await store.stats("photos")).toMatchObject({ space: head(1).space, count: 450 });
    expect(await store.listCollections()).toHaveLength(1);
    await store.upsert("photos", [item(3)]); // writes go on
  });

  it("removes the copy that a killed process left", async () => {
    const options = { replaces: "photos" };
    await store.createCollection({ name: "reproject-old", space: "x", dimensions: 2, options });
    await reproject();
    expect((await store.listCollections()).map(({ name }) => name)).toEqual(["photos"]);
  });

  it("has nothing to do for a collection of the active version", async () => {
    await reproject();
    expect(await reproject()).toMatchObject({ version: 2, items: 450 });
  });
});
