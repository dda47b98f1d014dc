// slow: starts PostgreSQL and reads copies of collections
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import type { Item } from "../../../src/index/item.js";
import { matchFilter } from "../../../src/index/match-filter.js";
import { Connections } from "../../../src/index/postgres/connections.js";
import { ServerCopies } from "../../../src/index/postgres/copies/server-copies.js";
import {
  openPostgresStore,
  type PostgresStoreOptions,
} from "../../../src/index/postgres/open-postgres-store.js";
import type { PostgresStore } from "../../../src/index/postgres/postgres-store.js";
import type { Query } from "../../../src/index/query.js";
import { seededRandom } from "../../../src/math/random.js";
import { dot } from "../../../src/math/vector.js";
import { hasPostgres, onPostgres, TestPostgres } from "../../helpers/postgres.js";
import { vectorStoreContract } from "../contract.js";
import { coneVector, randomItems } from "../random-items.js";

const dimensions = 24;
// Without exact scans of few matches: whatever the copy can answer, it does.
const limits = { copyFrom: 1, scanMatchesUpTo: 0, scanHighUpTo: 0 };

describe.skipIf(!hasPostgres(18))(onPostgres("the 8-bit copy of each server"), () => {
  let server: TestPostgres;
  const stores: PostgresStore[] = [];
  const open = async (options: Partial<PostgresStoreOptions> = {}) => {
    const store = await openPostgresStore({ url: server.url(), ...limits, ...options });
    stores.push(store);
    return store;
  };
  beforeAll(async () => {
    server = await TestPostgres.start();
  });
  afterEach(async () => {
    await Promise.all(stores.splice(0).map((store) => store.close()));
    await server.query("drop schema if exists crossmodal cascade");
  });
  afterAll(() => server?.dispose());

  const random = seededRandom(12);
  const query = (): Query => ({ embedding: coneVector(random, dimensions), topK: 10 });
  const filled = async (store: PostgresStore, items: readonly Item[]) => {
    await store.createCollection({ name: "photos", space: "toy", dimensions, fields: ["n"] });
    await store.upsert("photos", items);
  };
  /** Until searches of this store go through its copy. */
  const withCopy = async (store: PostgresStore) => {
    await expect
      .poll(async () => (await store.search("photos", [query()]))[0].plan, { timeout: 20_000 })
      .toBe("scan");
  };
  /** By a plain loop over the items as they are. */
  const nearest = (items: Iterable<Item>, { embedding, filter, modality, topK }: Query) =>
    [...items]
      .filter((item) => modality === undefined || item.modality === modality)
      .filter(
        ({ id, modality: of, metadata = {} }) =>
          !filter ||
          matchFilter(filter, metadata, { id, modality: of, source: null, addedAt: null }),
      )
      .map(({ id, embedding: one }) => ({ id, similarity: dot(embedding as Float32Array, one) }))
      .sort((a, b) => b.similarity - a.similarity)
      .slice(0, topK)
      .map(({ id }) => id);
  const idsOf = async (store: PostgresStore, asked: Query) => {
    const [{ neighbors, plan }] = await store.search("photos", [asked]);
    return { ids: neighbors.map(({ id }) => id), plan };
  };

  it("answers as the loop over all items does, with filters and modalities too", async () => {
    const store = await open();
    const items = randomItems(3000, dimensions);
    await filled(store, items);
    await withCopy(store);
    for (let i = 0; i < 60; i++) {
      const asked: Query = {
        ...query(),
        ...(i % 3 === 1 && { filter: { field: "n", op: "lt", value: 400 + 40 * i } }),
        ...(i % 4 === 2 && { modality: "image" }),
      };
      expect(await idsOf(store, asked)).toEqual({ ids: nearest(items, asked), plan: "scan" });
    }
  });

  it("shows every write that was acknowledged before, of this server and of another", async () => {
    const one = await open();
    const other = await open();
    const now = new Map(randomItems(800, dimensions).map((item) => [item.id, item]));
    await filled(one, [...now.values()]);
    await withCopy(one);
    await withCopy(other);
    const writers = [one, other];
    const newIds = Array.from({ length: 300 }, (_, i) => `new-${i}`);
    let scans = 0;
    for (let round = 0; round < 120; round++) {
      const ids = [...now.keys()];
      const turned = Array.from({ length: 4 }, () => now.get(ids[random.integer(ids.length)]));
      const changed = [...new Set(turned)].map((item) => ({
        ...(item as Item),
        embedding: coneVector(random, dimensions),
      }));
      const added = newIds
        .splice(0, 2)
        .map((id) => ({ ...changed[0], id, embedding: coneVector(random, dimensions) }));
      const gone = ids[random.integer(ids.length)];
      const writer = writers[random.integer(2)];
      // At once, from both servers
      const rest = writers[random.integer(2)];
      await Promise.all([
        writer.upsert("photos", [...changed, ...added]),
        rest.search("photos", [query()]),
      ]);
      await rest.delete("photos", { ids: [gone] });
      for (const item of [...changed, ...added]) now.set(item.id, item);
      now.delete(gone);
      const asked = query();
      // The vector that was just written is the nearest to itself.
      if (round % 2 === 0) asked.embedding = added[0].embedding;
      const reader = writers[random.integer(2)];
      const { ids: found, plan } = await idsOf(reader, asked);
      expect(found).toEqual(nearest(now.values(), asked));
      if (plan === "scan") scans++;
    }
    expect(scans).toBeGreaterThan(60);
  });

  it("is right while writers of two servers never stop", async () => {
    const one = await open();
    const other = await open();
    const items = randomItems(600, dimensions);
    await filled(one, items);
    await withCopy(one);
    let isOver = false;
    const moving = items.slice(0, 100);
    const write = async (store: PostgresStore, mine: readonly Item[]) => {
      while (!isOver) {
        const some = mine.map((item) => ({ ...item, embedding: coneVector(random, dimensions) }));
        await store.upsert("photos", some);
      }
    };
    const writing = [write(one, moving.slice(0, 50)), write(other, moving.slice(50))];
    const still = items.slice(100);
    const scans: string[] = [];
    for (let i = 0; i < 150; i++) {
      const asked = { ...query(), filter: { field: "n", op: "gte", value: 100 } } as const;
      const { ids, plan } = await idsOf(one, asked);
      expect(ids).toEqual(nearest(still, asked));
      const all = await idsOf(one, { ...asked, filter: undefined });
      const stays = all.ids.filter((id) => still.some((item) => item.id === id));
      expect(stays).toEqual(nearest(still, { ...asked, topK: stays.length }));
      scans.push(plan);
    }
    isOver = true;
    await Promise.all(writing);
    expect(scans).toContain("scan");
  });

  it("is made again after a gap in the log, and after a restart", async () => {
    const store = await open();
    const items = randomItems(500, dimensions);
    await filled(store, items);
    await withCopy(store);
    const added = { ...items[0], id: "late", embedding: coneVector(random, dimensions) };
    // As when this server was paused for longer than the log is kept
    const other = await open();
    await other.upsert("photos", [added]);
    await server.query("update crossmodal.vector_changes set seqs = null");
    const asked = { embedding: added.embedding, topK: 5 };
    expect((await idsOf(store, asked)).ids).toEqual(nearest([...items, added], asked));
    await withCopy(store);
    expect(await idsOf(store, asked)).toEqual({
      ids: nearest([...items, added], asked),
      plan: "scan",
    });
    const again = await open(); // as after a restart
    await withCopy(again);
    expect((await idsOf(again, asked)).ids[0]).toBe("late");
  });

  it("is asked once by a search that it cannot answer", async () => {
    // Without the refresh every two seconds, which would notice the gap as well
    vi.useFakeTimers({ toFake: ["setInterval"] });
    const store = await open();
    vi.useRealTimers();
    const items = randomItems(500, dimensions);
    await filled(store, items);
    await withCopy(store);
    await (await open()).upsert("photos", [{ ...items[0], id: "late" }]);
    await server.query("update crossmodal.vector_changes set seqs = null");
    const nominate = vi.spyOn(ServerCopies.prototype, "nominate");
    const asked = query();
    const { plan, ids } = await idsOf(store, asked);
    expect(nominate).toHaveBeenCalledTimes(1);
    nominate.mockRestore();
    expect({ plan, ids }).toEqual({
      plan: "exact",
      ids: nearest([...items, { ...items[0], id: "late" }], asked),
    });
  });

  it("is asked in transactions for some seconds after a statement by itself was slow", async () => {
    const store = await open();
    const items = randomItems(500, dimensions);
    await filled(store, items);
    await withCopy(store);
    const atOnce = vi.spyOn(Connections.prototype, "readAtOnce");
    const asked = query();
    const expected = { ids: nearest(items, asked), plan: "scan" };
    try {
      vi.useFakeTimers({ toFake: ["performance"] });
      atOnce.mockResolvedValueOnce(undefined); // as when its time is up
      for (let i = 0; i < 3; i++) expect(await idsOf(store, asked)).toEqual(expected);
      expect(atOnce).toHaveBeenCalledTimes(1);
      vi.advanceTimersByTime(60_000);
      expect(await idsOf(store, asked)).toEqual(expected);
      expect(atOnce.mock.calls.length).toBeGreaterThan(1);
    } finally {
      vi.useRealTimers();
      atOnce.mockRestore();
    }
  });

  it("is not made over the budget, and dropped when it grows over it", async () => {
    const perItem = dimensions + 56;
    const store = await open({ maxCopyBytes: 400 * perItem });
    const items = randomItems(600, dimensions);
    await filled(store, items.slice(0, 300));
    await withCopy(store);
    await store.upsert("photos", items.slice(300));
    await expect
      .poll(async () => {
        const asked = query();
        const { ids, plan } = await idsOf(store, asked);
        expect(ids).toEqual(nearest(items, asked));
        return plan;
      })
      .toBe("exact");
    await store.whenIndexed();
    expect((await idsOf(store, query())).plan).toBe("exact");
  });

  it("goes with its collection when that is replaced by another", async () => {
    const store = await open();
    const items = randomItems(300, dimensions);
    await filled(store, items);
    await withCopy(store);
    const spec = { name: "next", space: "toy", dimensions, fields: ["n"] };
    await store.createCollection(spec);
    const turned = items.map((item, i) => ({ ...item, embedding: items[299 - i].embedding }));
    await store.upsert("next", turned);
    await store.renameCollection("next", "photos", { replace: true });
    const asked = query();
    expect((await idsOf(store, asked)).ids).toEqual(nearest(turned, asked));
    await withCopy(store);
    expect((await idsOf(store, asked)).ids).toEqual(nearest(turned, asked));
  });

  let scans = 0;
  vectorStoreContract("openPostgresStore with copies of every collection", async () => {
    const openNow = () => openPostgresStore({ url: server.url(), ...limits });
    let store = await openNow();
    /** Each search twice: by the second the copy is there. */
    const searched = () =>
      new Proxy(store, {
        get(target, name) {
          if (name !== "search") {
            const value = Reflect.get(target, name, target);
            return typeof value === "function" ? value.bind(target) : value;
          }
          return async (...args: Parameters<PostgresStore["search"]>) => {
            await target.search(...args);
            await target.whenIndexed();
            const results = await target.search(...args);
            scans += results.filter(({ plan }) => plan === "scan").length;
            return results;
          };
        },
      });
    return {
      store: searched(),
      async reopen() {
        await store.close();
        store = await openNow();
        return searched();
      },
      dispose: () => store.close(),
    };
  });

  it("was what answered in the tests of the contract", () => {
    expect(scans).toBeGreaterThan(50);
  });
});
