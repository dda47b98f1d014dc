import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Filter } from "../../src/index/filter.js";
import type { Item, JsonObject, StoredItem } from "../../src/index/item.js";
import { matchFilter } from "../../src/index/match-filter.js";
import type { PageOrder } from "../../src/index/page-order.js";
import type { Query } from "../../src/index/query.js";
import type { Changes, VectorStore } from "../../src/index/vector-store.js";
import { seededRandom } from "../../src/math/random.js";
import { dot, meanVector, norm, normalize } from "../../src/math/vector.js";
import { coneVector, randomItems } from "./random-items.js";

const dimensions = 24;

export interface ContractStore {
  store: VectorStore;
  /** Ends the store and opens it again on what it has stored. */
  reopen(): Promise<VectorStore>;
  dispose(): Promise<void>;
}

/**
 * What every driver of VectorStore does. The oracle of searches is a plain loop over all items in
 * this file.
 */
export function vectorStoreContract(name: string, create: () => Promise<ContractStore>): void {
  describe(`${name} keeps the contract of VectorStore`, () => {
    let under: ContractStore;
    let store: VectorStore;
    beforeEach(async () => {
      under = await create();
      store = under.store;
      await store.createCollection({
        name: "photos",
        space: "toy",
        dimensions,
        fields: ["n"],
        options: { model: "toy" },
      });
    });
    afterEach(() => under.dispose());

    const random = seededRandom(5);
    const someQuery = (): Query => ({ embedding: coneVector(random, dimensions), topK: 10 });
    const searchOne = async (query: Query) => (await store.search("photos", [query]))[0];

    it("gives back an item as it was added", async () => {
      const item: Item = {
        id: "ä/1",
        modality: "audio",
        embedding: coneVector(random, dimensions),
        original: { space: "raw", embedding: coneVector(random, 7) },
        metadata: { label: "dog", nested: { list: [1, "two", null, true] } },
        source: "file:dog.wav",
        contentHash: "abc",
      };
      const preview = { mediaType: "image/png", bytes: Uint8Array.of(1, 2, 3) };
      expect(await store.upsert("photos", [{ ...item, preview }])).toEqual([
        { id: "ä/1", status: "stored", replaced: false },
      ]);
      expect(await store.get("photos", ["nothing", "ä/1"])).toEqual([timed(item)]);
      expect(await store.preview("photos", "ä/1")).toEqual(preview);
      expect(await store.preview("photos", "nothing")).toBeUndefined();
      expect(await store.previews("photos", ["nothing", "ä/1"])).toEqual(
        new Map([["ä/1", preview]]),
      );
      expect(await store.contentHashes("photos", ["nothing", "ä/1"])).toEqual(
        new Map([["ä/1", "abc"]]),
      );
    });

    it("still has everything after it was closed and opened again", async () => {
      const items = randomItems(50, dimensions);
      await store.upsert("photos", items);
      const query = someQuery();
      const before = await searchOne(query);
      store = await under.reopen();
      // Not the plan: that says whether the index has caught up.
      const { neighbors, nextCursor } = await searchOne(query);
      expect({ neighbors, nextCursor }).toEqual({
        neighbors: before.neighbors,
        nextCursor: before.nextCursor,
      });
      expect(await store.get("photos", ["item-7"])).toEqual([timed(items[7])]);
      expect(await store.stats("photos")).toMatchObject({
        space: "toy",
        dimensions,
        fields: ["n"],
        options: { model: "toy" },
        count: 50,
      });
    });

    it("replaces an item that is added again, with or without another vector", async () => {
      const [a, b] = randomItems(2, dimensions);
      await store.upsert("photos", [a, b]);
      const newer = { ...a, metadata: { n: 99 } };
      const turned = { ...b, embedding: coneVector(random, dimensions), metadata: { n: 98 } };
      expect(
        (await store.upsert("photos", [newer, turned])).map(
          (s) => s.status === "stored" && s.replaced,
        ),
      ).toEqual([true, true]);
      expect(await store.get("photos", [a.id, b.id])).toEqual([timed(newer), timed(turned)]);
      expect(await store.count("photos")).toBe(2);
      const { neighbors } = await searchOne({ embedding: turned.embedding, topK: 5 });
      expect(neighbors[0]).toMatchObject({ id: b.id, metadata: { n: 98 } });
      expect(neighbors).toHaveLength(2);
    });

    it("keeps the metadata of an item that is added again without any, and its time", async () => {
      const [a, b] = randomItems(2, dimensions);
      const first = { ...a, metadata: { n: 1 }, addedAt: "2024-05-06T07:08:09.000Z" };
      await store.upsert("photos", [first]);
      for (const { embedding } of [a, b]) {
        await store.upsert("photos", [{ id: a.id, modality: a.modality, embedding }]);
        expect(await store.get("photos", [a.id])).toMatchObject([
          { metadata: { n: 1 }, addedAt: first.addedAt },
        ]);
      }
      await store.upsert("photos", [{ ...a, metadata: {} }]);
      expect((await store.get("photos", [a.id]))[0].metadata).toEqual({});
    });

    it("gives the text back that an item was made from, also from a search", async () => {
      const [item] = randomItems(1, dimensions);
      await store.upsert("photos", [{ ...item, text: "a cat — ❤" }]);
      expect((await store.get("photos", [item.id]))[0].text).toBe("a cat — ❤");
      const { neighbors } = await searchOne({ embedding: item.embedding, topK: 1 });
      expect(neighbors[0].text).toBe("a cat — ❤");
    });

    it("changes metadata alone, as RFC 7396 merges or in their place", async () => {
      const items = randomItems(3, dimensions).map((item, n) => ({
        ...item,
        metadata: { n, keep: { a: 1, b: 2 } },
      }));
      await store.upsert("photos", items);
      const ids = items.map(({ id }) => id);
      const statuses = await store.patch("photos", [
        { id: ids[0], metadata: { keep: { a: null, c: [1] }, price: 5 } },
        { id: ids[1], metadata: { only: true }, replace: true },
        { id: ids[2], metadata: { n: 2 } },
        { id: "nothing", metadata: {} },
      ]);
      expect(statuses).toEqual([
        { id: ids[0], status: "updated" },
        { id: ids[1], status: "updated" },
        { id: ids[2], status: "unchanged" },
        { id: "nothing", status: "missing" },
      ]);
      const after = await store.get("photos", ids);
      expect(after.map(({ metadata }) => metadata)).toEqual([
        { n: 0, keep: { b: 2, c: [1] }, price: 5 },
        { only: true },
        { n: 2, keep: { a: 1, b: 2 } },
      ]);
      expect(after.map(({ embedding }) => embedding)).toEqual(
        items.map(({ embedding }) => embedding),
      );
      // What filters remembered is asked anew
      const query = { embedding: items[0].embedding, topK: 5 };
      const filter: Filter = { field: "price", op: "eq", value: 6 };
      expect((await searchOne({ ...query, filter })).neighbors).toEqual([]);
      await store.patch("photos", [{ id: ids[0], metadata: { price: 6 } }]);
      expect((await searchOne({ ...query, filter })).neighbors).toHaveLength(1);
    });

    it("adds members to lists and takes them away, beside a merge or alone", async () => {
      const before: JsonObject[] = [
        { tags: ["a", 1], n: 0 },
        { deep: { tags: ["x"] } },
        {},
        { tags: "a" },
      ];
      const items = randomItems(4, dimensions).map((item, n) => ({
        ...item,
        metadata: before[n],
      }));
      await store.upsert("photos", items);
      const [a, b, c, d] = items.map(({ id }) => id);
      const statuses = await store.patch("photos", [
        { id: a, metadata: { n: null }, add: { tags: ["b", "b", 1] }, remove: { tags: ["a"] } },
        { id: b, add: { "deep.more": [true] }, remove: { "deep.tags": ["x"], gone: ["y"] } },
        { id: c, remove: { tags: ["a"], "deep.tags": ["x"] } },
        { id: d, add: { tags: ["b"] } },
        { id: c, add: { tags: ["b"] } },
        { id: c, add: { tags: ["b"] } },
      ]);
      expect(statuses).toMatchObject([
        { status: "updated" },
        { status: "updated" },
        { status: "unchanged" },
        { status: "failed", error: { code: "invalid_input", param: "add.tags" } },
        { status: "updated" },
        { status: "unchanged" },
      ]);
      const after = await store.get("photos", [a, b, c, d]);
      expect(after.map(({ metadata }) => metadata)).toEqual([
        { tags: [1, "b"] },
        { deep: { more: [true] } },
        { tags: ["b"] },
        { tags: "a" },
      ]);
      const filter: Filter = { field: "tags", op: "contains", value: "b" };
      const counts = await store.patchWhere("photos", filter, { remove: { tags: ["b"] } });
      expect(counts).toEqual({ updated: 2, unchanged: 0, failed: [], moreFailed: 0 });
      expect(await store.count("photos", filter)).toBe(0);
      for (const wrong of [
        {},
        { replace: true, add: { tags: ["a"] } },
        { add: { tags: [["a"]] } },
        { remove: { "ta'gs": ["a"] } },
      ])
        await expect(
          store.patch("photos", [{ id: a, ...(wrong as object) }]),
        ).rejects.toMatchObject({ code: "invalid_input" });
    });

    it("loses no member of a list that writers add to at the same time", async () => {
      const [item] = randomItems(1, dimensions);
      await store.upsert("photos", [item]);
      const tags = Array.from({ length: 20 }, (_, i) => `tag ${i}`);
      await Promise.all(
        tags.map((tag) => store.patch("photos", [{ id: item.id, add: { tags: [tag] } }])),
      );
      const [{ metadata }] = await store.get("photos", [item.id]);
      expect([...(metadata.tags as string[])].sort()).toEqual(tags.sort());
    });

    it("pages in each order, in parts as at once, with a filter too", async () => {
      const items = randomItems(70, dimensions).map((item, n) => ({
        ...item,
        id: `${["é", "a.", "Z", "z/", "😀", "ﬀ"][n % 6]}${(n * 37) % 70}`,
        metadata: { even: n % 2 === 0 },
      }));
      await store.upsert("photos", items);
      const ids = items.map(({ id }) => id);
      const byBytes = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b));
      const expected = {
        oldest: ids,
        newest: ids.toReversed(),
        id: ids.toSorted(byBytes),
      };
      const even = new Set(items.filter(({ metadata }) => metadata.even).map(({ id }) => id));
      for (const [order, all] of Object.entries(expected) as [PageOrder, string[]][])
        for (const filter of [undefined, { field: "even", op: "eq", value: true } as Filter]) {
          const found: string[] = [];
          for (let after: string | undefined; ; ) {
            const page = await store.page("photos", { order, filter, limit: 11, after });
            found.push(...page.items.map(({ id }) => id));
            after = page.nextCursor;
            if (after === undefined) break;
            await expect(
              store.page("photos", { order: order === "id" ? "oldest" : "id", limit: 5, after }),
            ).rejects.toMatchObject({ code: "invalid_input", param: "after" });
          }
          expect(found).toEqual(all.filter((id) => filter === undefined || even.has(id)));
        }
    });

    it("refuses a change that would make metadata too large, and changes the others", async () => {
      const items = randomItems(2, dimensions).map((item) => ({
        ...item,
        metadata: { text: "x".repeat(600_000) },
      }));
      await store.upsert("photos", [items[0], { ...items[1], metadata: {} }]);
      const more = { more: "x".repeat(600_000) };
      const statuses = await store.patch(
        "photos",
        items.map(({ id }) => ({ id, metadata: more })),
      );
      expect(statuses).toMatchObject([
        { status: "failed", error: { code: "invalid_input", param: "metadata" } },
        { status: "updated" },
      ]);
    });

    it("changes metadata by a filter, also when the filter no longer matches after", async () => {
      const items = randomItems(2500, dimensions).map((item, n) => ({
        ...item,
        metadata: { n, state: n % 5 === 0 ? "old" : "new" },
      }));
      await store.upsert("photos", items);
      const filter: Filter = { field: "state", op: "eq", value: "new" };
      const patch = { metadata: { state: "old" } };
      expect(await store.patchWhere("photos", filter, patch)).toEqual({
        updated: 2000,
        unchanged: 0,
        failed: [],
        moreFailed: 0,
      });
      expect(await store.count("photos", filter)).toBe(0);
      expect(await store.count("photos")).toBe(2500);
    });

    it("changes the others by a filter where items fail, and names those, up to a limit", async () => {
      const items = randomItems(1150, dimensions).map((item, n) => ({
        ...item,
        metadata: { tags: n >= 20 && n < 125 ? "a text" : ["a"] },
      }));
      await store.upsert("photos", items);
      const everything: Filter = { field: "tags", op: "exists", value: true };
      const { failed, ...counts } = await store.patchWhere("photos", everything, {
        add: { tags: ["b"] },
      });
      expect(counts).toEqual({ updated: 1045, unchanged: 0, moreFailed: 5 });
      expect(failed.map(({ id }) => id)).toEqual(items.slice(20, 120).map(({ id }) => id));
      expect(failed[0].error).toMatchObject({ code: "invalid_input", param: "add.tags" });
      const [last] = await store.get("photos", [items[1149].id]);
      expect(last.metadata).toEqual({ tags: ["a", "b"] });
    });

    it("filters by id, source, modality and the time an item was added", async () => {
      const items = randomItems(60, dimensions).map((item, n) => ({
        ...item,
        id: `${n < 20 ? "2020/ä" : "2021/_"}${n}`,
        modality: n % 3 === 0 ? ("text" as const) : ("image" as const),
        source: n % 2 === 0 ? `/archive/%${n}` : undefined,
        addedAt: new Date(n === 7 ? 0 : 1.7e12 + n * 1000).toISOString(), // 1970: a bare clock
        metadata: { n },
      }));
      await store.upsert("photos", items);
      const filters: Filter[] = [
        { item: "id", op: "prefix", value: "2020/" },
        { item: "id", op: "prefix", value: "2020/ä1" },
        { item: "id", op: "in", value: ["2020/ä1", "2021/_30", "x"] },
        { not: { item: "id", op: "eq", value: "2020/ä1" } },
        { item: "source", op: "prefix", value: "/archive/%4" },
        { item: "source", op: "exists", value: false },
        { not: { item: "source", op: "prefix", value: "/archive" } },
        { item: "modality", op: "in", value: ["text", "audio"] },
        { item: "added_at", op: "gte", value: items[30].addedAt },
        { item: "added_at", op: "lt", value: items[5].addedAt },
        {
          and: [
            { item: "modality", op: "eq", value: "image" },
            { field: "n", op: "lt", value: 30 },
          ],
        },
      ];
      for (const filter of filters) {
        const expected = items.filter((item) =>
          matchFilter(filter, item.metadata, {
            ...item,
            source: item.source ?? null,
            addedAt: Date.parse(item.addedAt),
          }),
        );
        expect(expected.length).toBeGreaterThan(0);
        expect(expected.length).toBeLessThan(60);
        const { items: found } = await store.page("photos", { filter, limit: 100 });
        expect(found.map(({ id }) => id)).toEqual(expected.map(({ id }) => id));
        const { neighbors } = await searchOne({ ...someQuery(), topK: 100, filter });
        expect(neighbors.map(({ id }) => id).sort()).toEqual(expected.map(({ id }) => id).sort());
      }
    });

    it("declares other fields later", async () => {
      await store.upsert("photos", randomItems(20, dimensions));
      for (const fields of [["n", "a"], ["b", "a", "n"], [], ["a"]]) {
        await store.setFields("photos", fields);
        expect((await store.stats("photos")).fields).toEqual(fields);
      }
      store = await under.reopen();
      await store.dropCollection("photos");
      await expect(store.setFields("photos", ["'"])).rejects.toMatchObject({ param: "fields" });
    });

    it("gives ids and metadata alone, newest first, page by page", async () => {
      const items = randomItems(25, dimensions);
      await store.upsert("photos", items);
      const wanted = items
        .filter(({ modality }) => modality === "image")
        .map(({ id, metadata }) => [id, metadata ?? {}]);
      const found: unknown[] = [];
      let before: number | undefined;
      do {
        const page = await store.metadata("photos", { modality: "image", limit: 3, before });
        expect(page.metadata.length).toBeLessThanOrEqual(3);
        found.push(...page.ids.map((id, i) => [id, page.metadata[i]]));
        before = page.next;
      } while (before !== undefined);
      expect(found).toEqual(wanted.reverse());
      const filter: Filter = { field: "n", op: "exists", value: true };
      const { metadata } = await store.metadata("photos", { filter, limit: 100 });
      expect(metadata).toHaveLength(await store.count("photos", filter));
    });

    it("changes some options of a collection and leaves the others", async () => {
      await store.setOptions("photos", { keepMedia: true });
      store = await under.reopen();
      const options = { model: "toy", keepMedia: true };
      expect(await store.stats("photos")).toMatchObject({ options });
      await expect(store.setOptions("none", {})).rejects.toMatchObject({ code: "not_found" });
    });

    it("tells once which kept media the last item has left, however it went", async () => {
      const [a, b, c, d, e] = randomItems(5, dimensions);
      const media = (digit: string) => ({
        sha256: digit.repeat(64),
        bytes: Number(digit),
        mediaType: "image/png",
      });
      const hashes = ["1", "2", "3", "4", "5"].map((digit) => media(digit).sha256);
      await store.createCollection({ name: "other", space: "toy", dimensions });
      await store.upsert("photos", [
        { ...a, media: media("1") },
        { ...b, media: media("1") },
        { ...c, media: media("2") },
        { ...d, media: media("3") },
        e,
      ]);
      await store.upsert("other", [{ ...a, media: media("4") }]);
      const [found] = await store.get("photos", [a.id]);
      expect(found.media).toEqual(media("1"));
      expect((await store.get("photos", [e.id]))[0]).not.toHaveProperty("media");
      const { neighbors } = await searchOne({ ...someQuery(), topK: 5 });
      expect(neighbors.find(({ id }) => id === c.id)?.media).toEqual(media("2"));
      expect(neighbors.find(({ id }) => id === e.id)).not.toHaveProperty("media");

      expect(await store.takeReleasedMedia()).toEqual([]);
      await store.patch("photos", [{ id: c.id, metadata: { n: 7 } }]);
      await store.delete("photos", { ids: [a.id] });
      expect(await store.takeReleasedMedia()).toEqual([]); // the other item still has it
      await store.delete("photos", { ids: [b.id] });
      expect(await store.takeReleasedMedia()).toEqual([hashes[0]]);
      expect(await store.takeReleasedMedia()).toEqual([]);
      await store.upsert("photos", [{ ...c, media: media("5") }]);
      await store.upsert("photos", [{ ...d, embedding: e.embedding }]);
      expect((await store.takeReleasedMedia()).sort()).toEqual([hashes[1], hashes[2]]);
      expect(await store.mediaInUse(hashes)).toEqual([hashes[3], hashes[4]]);
      await store.renameCollection("other", "photos", { replace: true });
      expect(await store.takeReleasedMedia()).toEqual([hashes[4]]);
      await store.dropCollection("photos");
      expect(await store.takeReleasedMedia()).toEqual([hashes[3]]);
      expect(await store.mediaInUse(hashes)).toEqual([]);
    });

    it("knows collections by aliases, which move at once", async () => {
      const [a, b] = randomItems(2, dimensions);
      await store.createCollection({ name: "other", space: "toy", dimensions });
      await store.setAlias("live", "photos");
      await store.upsert("live", [a]);
      expect(await store.count("photos")).toBe(1);
      expect(await store.stats("live")).toMatchObject({ name: "photos", aliases: ["live"] });
      await store.setAlias("live", "other");
      await store.upsert("live", [b]);
      expect(await store.get("live", [a.id, b.id])).toMatchObject([{ id: b.id }]);
      expect(await store.resolve("live")).toBe("other");
      expect(await store.resolve("photos")).toBe("photos");
      store = await under.reopen();
      expect(await store.count("live")).toBe(1);

      const conflict = { code: "conflict" };
      await expect(store.dropCollection("live")).rejects.toMatchObject(conflict);
      await expect(store.dropCollection("other")).rejects.toMatchObject(conflict);
      await expect(store.renameCollection("live", "x")).rejects.toMatchObject(conflict);
      const taken = { code: "already_exists" };
      const spec = { name: "live", space: "toy", dimensions };
      await expect(store.createCollection(spec)).rejects.toMatchObject(taken);
      await expect(store.renameCollection("photos", "live")).rejects.toMatchObject(taken);
      await expect(store.setAlias("photos", "other")).rejects.toMatchObject(taken);
      await expect(store.setAlias("x", "nothing")).rejects.toMatchObject({ code: "not_found" });
      await expect(store.removeAlias("photos")).rejects.toMatchObject({ code: "not_found" });

      await store.renameCollection("other", "renamed");
      expect(await store.count("live")).toBe(1);
      await store.removeAlias("live");
      await expect(store.stats("live")).rejects.toMatchObject({ code: "not_found" });
      await store.dropCollection("renamed");
    });

    it("takes the last of two items with one id in a batch", async () => {
      const [a, b] = randomItems(2, dimensions);
      await store.upsert("photos", [a, { ...b, id: a.id }]);
      expect((await store.get("photos", [a.id]))[0].embedding).toEqual(b.embedding);
      expect((await searchOne(someQuery())).neighbors).toHaveLength(1);
    });

    it("refuses single items without holding back the others", async () => {
      const [good] = randomItems(1, dimensions);
      const bad = (embedding: Float32Array) => ({ ...good, id: "bad", embedding });
      const statuses = await store.upsert("photos", [
        bad(new Float32Array(dimensions).fill(Number.NaN)),
        bad(good.embedding.slice(1)),
        bad(good.embedding.map((x) => 2 * x)),
        good,
        { ...good, id: "" },
        { ...good, id: "bad", metadata: { text: "\0" } },
        { ...good, id: "bad", metadata: [] as never },
        // What `Date.parse` takes, or another time than is meant
        ...["5", "2026-02-30", "2026-01-31 18:00", "2026-01-31T18:00:00"].map((addedAt) => ({
          ...good,
          id: "bad",
          addedAt,
        })),
      ]);
      expect(
        statuses.map((s) => (s.status === "failed" ? [s.error.code, s.error.param] : s.status)),
      ).toEqual([
        ["invalid_input", "embedding"],
        ["invalid_input", "embedding"],
        ["invalid_input", "embedding"],
        "stored",
        ["invalid_input", "id"],
        ["invalid_input", "metadata"],
        ["invalid_input", "metadata"],
        ...Array(4).fill(["invalid_input", "added_at"]),
      ]);
      expect(await store.count("photos")).toBe(1);
    });

    it("finds what a plain loop over all items finds, best first", async () => {
      const items = randomItems(300, dimensions);
      await store.upsert("photos", items);
      for (let i = 0; i < 20; i++) {
        const query = someQuery();
        const { neighbors } = await searchOne({ ...query, recall: "exact" });
        expectSame(neighbors, oracle(items, query));
        expectSame((await searchOne(query)).neighbors, oracle(items, query));
      }
    });

    it("finds under filters, modalities and a least similarity what the loop finds", async () => {
      const items = randomItems(300, dimensions);
      await store.upsert("photos", items);
      const queries: Query[] = [
        { ...someQuery(), filter: { field: "tenth", op: "eq", value: true } },
        { ...someQuery(), filter: { field: "n", op: "lt", value: 7 } },
        {
          ...someQuery(),
          filter: { not: { field: "colour", op: "in", value: ["red", "blue"] } },
          modality: "image",
        },
        { ...someQuery(), filter: { field: "nothing", op: "exists", value: true } },
        { ...someQuery(), modality: "audio" },
        { ...someQuery(), minSimilarity: 0.3, topK: 300 },
      ];
      const found = await store.search("photos", queries);
      for (const [i, { neighbors }] of found.entries())
        expectSame(neighbors, oracle(items, queries[i]));
    });

    it("leaves deleted items out, by id and by filter", async () => {
      const items = randomItems(100, dimensions);
      await store.upsert("photos", items);
      expect(await store.delete("photos", { ids: ["item-3", "item-4", "nothing", "item-3"] })).toBe(
        2,
      );
      expect(await store.delete("photos", { filter: { field: "n", op: "gte", value: 50 } })).toBe(
        50,
      );
      const left = items.filter(({ id }, i) => i < 50 && id !== "item-3" && id !== "item-4");
      expect(await store.count("photos")).toBe(48);
      const query = { ...someQuery(), topK: 100 };
      expectSame((await searchOne(query)).neighbors, oracle(left, query));
    });

    it("searches by an item, which is not its own neighbour", async () => {
      const items = randomItems(60, dimensions);
      await store.upsert("photos", items);
      const { neighbors } = await searchOne({ itemId: "item-5", topK: 10 });
      const others = items.filter(({ id }) => id !== "item-5");
      expectSame(neighbors, oracle(others, { embedding: items[5].embedding, topK: 10 }));
      const nothing = { itemId: "nothing", topK: 1 };
      await expect(searchOne(nothing)).rejects.toMatchObject({
        code: "not_found",
        param: "item_id",
      });
      const second = store.search("photos", [{ itemId: items[0].id, topK: 1 }, nothing]);
      await expect(second).rejects.toMatchObject({
        code: "not_found",
        param: "queries[1].item_id",
      });
    });

    it("gives every neighbour exactly once over pages, also among equal similarities", async () => {
      const items = randomItems(40, dimensions).map((item, i, all) => ({
        ...item,
        embedding: all[i % 4].embedding,
      }));
      await store.upsert("photos", items);
      const embedding = coneVector(random, dimensions);
      const pages: string[] = [];
      let cursor: string | undefined;
      do {
        const page = await searchOne({ embedding, topK: 7, cursor });
        pages.push(...page.neighbors.map(({ id }) => id));
        cursor = page.nextCursor;
      } while (cursor !== undefined);
      expect(pages).toEqual(oracle(items, { embedding, topK: 40 }).map(({ id }) => id));
    });

    it("gives every neighbour once when hundreds of items are copies of one picture", async () => {
      const items = randomItems(1000, dimensions);
      const [{ embedding }] = items;
      await store.upsert(
        "photos",
        items.map((item, i) => (i % 3 === 0 ? { ...item, embedding } : item)),
      );
      for (const topK of [1, 3, 10, 100, 400]) {
        const { neighbors } = await searchOne({ embedding, topK, recall: "exact" });
        expect(new Set(neighbors.map(({ id }) => id)).size).toBe(topK);
      }
    });

    it("centres each modality on its mean when asked to", async () => {
      const items = randomItems(200, dimensions);
      await store.upsert("photos", items);
      await store.delete("photos", { ids: ["item-0", "item-1"] });
      const left = items.slice(2);
      const means = Object.fromEntries(
        (["text", "image", "audio"] as const).map((modality) => [
          modality,
          meanVector(left.flatMap((item) => (item.modality === modality ? [item.embedding] : []))),
        ]),
      );
      const query: Query = { ...someQuery(), topK: 20, centering: { queryModality: "text" } };
      const { neighbors } = await searchOne(query);
      const centre = (x: ArrayLike<number>, of: "text" | "image" | "audio") =>
        normalize(Array.from(x, (value, i) => value - means[of][i]));
      const expected = left
        .map((item) => ({
          id: item.id,
          similarity: dot(
            centre(query.embedding as Float32Array, "text"),
            centre(item.embedding, item.modality),
          ),
        }))
        .sort((a, b) => b.similarity - a.similarity)
        .slice(0, 20);
      expectSame(neighbors, expected);
    });

    it("scans every item once, oldest first, in batches", async () => {
      const items = randomItems(25, dimensions);
      await store.upsert("photos", items);
      const seen: StoredItem[] = [];
      for await (const item of store.scan("photos", { batchSize: 10 })) seen.push(item);
      expect(seen).toEqual(items.map(timed));
      const filter = { field: "n", op: "lt", value: 20 } as const;
      const ids: string[] = [];
      for await (const item of store.scan("photos", { batchSize: 3, filter, modality: "text" }))
        ids.push(item.id);
      expect(ids).toEqual(
        items
          .slice(0, 20)
          .filter(({ modality }) => modality === "text")
          .map(({ id }) => id),
      );
    });

    it("gives pages oldest first, each from the cursor of the one before", async () => {
      const items = randomItems(25, dimensions);
      await store.upsert("photos", items);
      const seen: StoredItem[] = [];
      let after: string | undefined;
      let pages = 0;
      do {
        const page = await store.page("photos", { limit: 10, after });
        seen.push(...page.items);
        after = page.nextCursor;
        pages++;
      } while (after !== undefined);
      expect(seen).toEqual(items.map(timed));
      expect(pages).toBe(3);
      await expect(store.page("photos", { limit: 10, after: "?" })).rejects.toMatchObject({
        code: "invalid_input",
        param: "after",
      });
    });

    it("refuses embeddings of the space that the collection had before it was replaced", async () => {
      const [item] = randomItems(1, dimensions);
      await store.upsert("photos", [item], { space: "toy" });
      await store.createCollection({ name: "anew", space: "toy+head", dimensions });
      await store.renameCollection("anew", "photos", { replace: true });
      await expect(store.upsert("photos", [item], { space: "toy" })).rejects.toMatchObject({
        code: "conflict",
      });
      await expect(store.search("photos", [someQuery()], { space: "toy" })).rejects.toMatchObject({
        code: "conflict",
      });
      await expect(store.page("photos", { limit: 1, space: "toy" })).rejects.toMatchObject({
        code: "conflict",
      });
      expect(await store.upsert("photos", [item], { space: "toy+head" })).toMatchObject([
        { status: "stored" },
      ]);
      expect(await store.search("photos", [someQuery()], { space: "toy+head" })).toHaveLength(1);
    });

    it("ends a scan for a space when a collection of another space replaces this one", async () => {
      await store.upsert("photos", randomItems(10, dimensions));
      const replace = async () => {
        await store.createCollection({ name: "anew", space: "toy+head", dimensions });
        await store.renameCollection("anew", "photos", { replace: true });
      };
      const scanning = async () => {
        let seen = 0;
        for await (const _ of store.scan("photos", { batchSize: 4, space: "toy" }))
          if (++seen === 4) await replace();
      };
      await expect(scanning()).rejects.toMatchObject({ code: "conflict" });
    });

    it("follows what is written while a copy is made, which then takes the collection's place", async () => {
      const items = randomItems(300, dimensions);
      await store.upsert("photos", items.slice(0, 200));
      const watch = await store.watch("photos");
      const options = { space: "toy-2", dimensions };
      await store.createCollection({ name: "copy", ...options });
      for await (const item of store.scan("photos")) await store.upsert("copy", [item]);
      const expected = new Map(items.slice(0, 200).map((item) => [item.id, item]));
      // Writes to the one, and what is acknowledged, until it is another collection
      let isReplaced = false;
      const write = async () => {
        for (let i = 200; !isReplaced; i = i === 299 ? 200 : i + 1) {
          const item = { ...items[i], metadata: { n: i, round: random.integer(1e9) } };
          try {
            await store.upsert("photos", [item], { space: "toy" });
            expected.set(item.id, item);
          } catch (error) {
            expect(error).toMatchObject({ code: "conflict" });
            isReplaced = true;
          }
        }
      };
      const writing = write();
      const changed = { metadata: { changed: true }, replace: true };
      await store.patch("photos", [{ id: "item-1", ...changed }]);
      expected.set("item-1", { ...items[1], metadata: changed.metadata });
      const filter: Filter = { field: "n", op: "lt", value: 1 };
      await store.delete("photos", { ids: ["item-7"] });
      await store.delete("photos", { filter });
      for (const id of ["item-7", "item-0"]) expected.delete(id);
      const catchUp = async ({ ids, byFilter }: Changes) => {
        for (const one of byFilter)
          await (one.patch === undefined
            ? store.delete("copy", one)
            : store.patchWhere("copy", one.filter, one.patch));
        const there = await store.get("photos", [...ids]);
        const gone = new Set(ids);
        for (const { id } of there) gone.delete(id);
        await store.delete("copy", { ids: [...gone] });
        await store.upsert("copy", there);
      };
      for (let round = 0; round < 3; round++) await catchUp(await watch.take());
      await expect(watch.replaceBy("nothing", async () => undefined)).rejects.toMatchObject({
        code: "not_found",
      });
      await watch.end();

      const again = await store.watch("photos");
      await catchUp({ ids: new Set(items.map(({ id }) => id)), byFilter: [] });
      await catchUp(await again.take());
      await again.replaceBy("copy", catchUp);
      await again.end();
      await writing;
      expect(await store.stats("photos")).toMatchObject({ space: "toy-2", count: expected.size });
      const stored = await store.get("photos", [...expected.keys()]);
      expect(stored).toEqual([...expected.values()].map(timed));
    });

    it("keeps collections apart, renames, replaces and drops them", async () => {
      const items = randomItems(20, dimensions);
      await store.createCollection({ name: "other", space: "toy-2", dimensions });
      await store.upsert("photos", items.slice(0, 10));
      await store.upsert("other", items.slice(5));
      await expect(
        store.createCollection({ name: "other", space: "x", dimensions }),
      ).rejects.toMatchObject({
        code: "already_exists",
      });
      await expect(store.renameCollection("other", "photos")).rejects.toMatchObject({
        code: "already_exists",
      });
      expect((await store.listCollections()).map(({ name, count }) => [name, count])).toEqual([
        ["other", 15],
        ["photos", 10],
      ]);
      await store.renameCollection("other", "photos", { replace: true });
      expect(await store.stats("photos")).toMatchObject({ space: "toy-2", count: 15 });
      const query = { ...someQuery(), topK: 30 };
      expectSame((await searchOne(query)).neighbors, oracle(items.slice(5), query));
      await store.dropCollection("photos");
      expect(await store.listCollections()).toEqual([]);
      await expect(searchOne(query)).rejects.toMatchObject({
        code: "not_found",
        param: "collection",
      });
      await expect(store.upsert("photos", items)).rejects.toMatchObject({ code: "not_found" });
    });

    it("answers queries that make no sense with invalid_input and the field at fault", async () => {
      const embedding = coneVector(random, dimensions);
      const faults: [Partial<Query>, string][] = [
        [{ topK: 0 }, "top_k"],
        [{ embedding: embedding.slice(1) }, "embedding"],
        [{ itemId: "x" }, "embedding"],
        [{ recall: "some" as never }, "recall"],
        [{ minSimilarity: Number.NaN }, "min_similarity"],
        [{ cursor: "%%%" }, "cursor"],
        [{ filter: { field: "a", op: "like" as never, value: 1 } }, "filter.op"],
        [
          { filter: { and: [{ field: `a"]') OR 1=1 --`, op: "eq", value: 1 }] } },
          "filter.and[0].field",
        ],
        [{ filter: { field: "a", op: "gt", value: true } }, "filter.value"],
      ];
      for (const [fault, param] of faults) {
        await expect(searchOne({ embedding, topK: 3, ...fault })).rejects.toMatchObject({
          code: "invalid_input",
          param,
        });
      }
    });

    it("refuses the cursor of another query or filter, which would start in the middle", async () => {
      await store.upsert("photos", randomItems(40, dimensions));
      const query = someQuery();
      const { nextCursor: cursor } = await searchOne(query);
      expect((await searchOne({ ...query, topK: 3, cursor })).neighbors).toHaveLength(3);
      const filter: Filter = { field: "n", op: "gte", value: 0 };
      for (const other of [someQuery(), { ...query, filter }, { itemId: "item-1", topK: 10 }])
        await expect(searchOne({ ...other, cursor })).rejects.toMatchObject({
          code: "invalid_input",
          param: "cursor",
        });
      const page = await store.page("photos", { limit: 10 });
      const after = page.nextCursor;
      await expect(store.page("photos", { limit: 10, after, filter })).rejects.toMatchObject({
        code: "invalid_input",
        param: "after",
      });
    });

    it("copes with an empty collection and with no queries", async () => {
      expect(
        await searchOne({ ...someQuery(), centering: { queryModality: "text" } }),
      ).toMatchObject({
        neighbors: [],
      });
      expect((await searchOne(someQuery())).neighbors).toEqual([]);
      expect(await store.search("photos", [])).toEqual([]);
      expect(await store.upsert("photos", [])).toEqual([]);
    });

    it("lets writes and searches of many callers run at once", async () => {
      const items = randomItems(400, dimensions);
      await Promise.all([
        ...items.map((item) => store.upsert("photos", [item])),
        ...items.slice(0, 50).map(() => store.search("photos", [someQuery()])),
      ]);
      const query = { ...someQuery(), topK: 20 };
      expectSame((await searchOne(query)).neighbors, oracle(items, query));
    });

    it("stays the same after compact", async () => {
      const items = randomItems(200, dimensions);
      await store.upsert("photos", items);
      await store.delete("photos", { filter: { field: "colour", op: "eq", value: "red" } });
      await store.compact();
      const left = items.filter(({ metadata }) => metadata?.colour !== "red");
      const query = { ...someQuery(), topK: 20 };
      expectSame((await searchOne(query)).neighbors, oracle(left, query));
      expect(await store.count("photos")).toBe(left.length);
    });
  });
}

/**
 * Similarities agree to float32 rounding of the centred query (measured 2e-8); ids follow from
 * them.
 */
function expectSame(
  actual: { id: string; similarity: number }[],
  expected: { id: string; similarity: number }[],
) {
  expect(actual.map(({ id }) => id)).toEqual(expected.map(({ id }) => id));
  for (const [i, { similarity }] of actual.entries())
    expect(similarity).toBeCloseTo(expected[i].similarity, 5);
}

/** As it comes back: with the time it was added. */
const timed = (item: Item) => ({ ...item, addedAt: expect.any(String) });

/**
 * The slow obvious search: every item, sorted; equal similarities keep the order in which they were
 * added.
 */
function oracle(items: readonly Item[], query: Query): { id: string; similarity: number }[] {
  const embedding = query.embedding as Float32Array;
  return items
    .filter(({ modality }) => query.modality === undefined || modality === query.modality)
    .filter(
      ({ metadata }) => query.filter === undefined || matchFilter(query.filter, metadata ?? {}),
    )
    .map((item) => ({
      id: item.id,
      similarity: dot(embedding, item.embedding) / norm(embedding) / norm(item.embedding),
    }))
    .map(({ id, similarity }) => ({ id, similarity: Math.round(similarity * 1e12) / 1e12 }))
    .filter(({ similarity }) => similarity >= (query.minSimilarity ?? -1))
    .sort((a, b) => b.similarity - a.similarity)
    .slice(0, query.topK);
}
