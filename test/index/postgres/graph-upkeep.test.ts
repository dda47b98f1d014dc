import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openPostgresStore } from "../../../src/index/postgres/open-postgres-store.js";
import type { PostgresStore } from "../../../src/index/postgres/postgres-store.js";
import { seededRandom } from "../../../src/math/random.js";
import { dot } from "../../../src/math/vector.js";
import { hasPostgres, onPostgres, TestPostgres } from "../../helpers/postgres.js";
import { coneVector, randomItems } from "../random-items.js";

const dimensions = 32;

describe.skipIf(!hasPostgres(18))(onPostgres("GraphUpkeep"), () => {
  let server: TestPostgres;
  let store: PostgresStore;
  const open = () =>
    openPostgresStore({
      url: server.url(),
      graphFrom: 1000,
      scanMatchesUpTo: 100,
      scanHighUpTo: 1000,
      maxCopyBytes: 0, // else copies would answer
    });
  beforeAll(async () => {
    server = await TestPostgres.start();
    store = await open();
    await store.createCollection({ name: "photos", space: "toy", dimensions, fields: ["n"] });
  });
  afterAll(async () => {
    await store?.close();
    await server?.dispose();
  });

  const items = randomItems(3000, dimensions);
  const random = seededRandom(3);
  const stats = async () => (await store.stats("photos")).index;
  const nearest = (query: Float32Array, among: typeof items) =>
    among
      .map(({ id, embedding }) => ({ id, similarity: dot(query, embedding) }))
      .sort((a, b) => b.similarity - a.similarity)
      .slice(0, 10)
      .map(({ id }) => id);
  /** The share of the exact first ten that is found, and how. */
  const search = async (among: typeof items, extra: object = {}) => {
    let found = 0;
    const plans = new Set<string>();
    for (let i = 0; i < 30; i++) {
      const embedding = coneVector(random, dimensions);
      const [result] = await store.search("photos", [{ embedding, topK: 10, ...extra }]);
      const exact = new Set(nearest(embedding, among));
      found += result.neighbors.filter(({ id }) => exact.has(id)).length;
      plans.add(result.plan);
    }
    return { recall: found / 300, plans: [...plans] };
  };

  it("builds a graph once a collection is large; searches find through it what a scan finds", async () => {
    await store.upsert("photos", items.slice(0, 900));
    await store.whenIndexed();
    expect(await stats()).toEqual({ engine: "pgvector", state: "none", indexed: 0 });
    expect(await search(items.slice(0, 900))).toEqual({ recall: 1, plans: ["exact"] });
    await store.upsert("photos", items.slice(900, 2000));
    await store.whenIndexed();
    expect(await stats()).toEqual({ engine: "pgvector", state: "ready", indexed: 2000 });
    const [used] = await server.query(
      "select count(*)::int as n from pg_index where not indisvalid",
    );
    expect(used).toEqual({ n: 0 });
    const { recall, plans } = await search(items.slice(0, 2000));
    expect(plans).toEqual(["graph"]);
    expect(recall).toBeGreaterThan(0.99);
  });

  it("goes through the index, and scans under a filter that leaves little", async () => {
    const scans = async () => {
      await server.query("select pg_stat_force_next_flush()");
      const [{ n }] = await server.query<{ n: number }>(
        "select idx_scan::int as n from pg_stat_user_indexes where indexrelname like '%_graph'",
      );
      return n;
    };
    const before = await scans();
    await search(items.slice(0, 2000));
    await expect.poll(scans).toBeGreaterThanOrEqual(before + 30);
    const few = { filter: { field: "n", op: "lt", value: 150 } } as const;
    expect(await search(items.slice(0, 150), few)).toEqual({ recall: 1, plans: ["exact"] });
    const many = { filter: { field: "n", op: "lt", value: 1500 } } as const;
    const { recall, plans } = await search(items.slice(0, 1500), many);
    expect(plans).toEqual(["graph"]);
    expect(recall).toBeGreaterThan(0.99);
  });

  it("finds what is not in the graph yet, and not what was deleted or replaced", async () => {
    // Nobody moves them while another holds the lock.
    const [{ n }] = await server.query<{ n: number }>("select n::int from crossmodal.collections");
    const lock = `select pg_advisory_lock(hashtext('crossmodal.graph'), ${n}), pg_sleep(3)`;
    const held = server.query(lock);
    await store.upsert("photos", items.slice(2000));
    const turned = items
      .slice(0, 50)
      .map((item, i) => ({ ...item, embedding: items[2999 - i].embedding }));
    await store.upsert("photos", turned);
    await store.delete("photos", { ids: items.slice(50, 100).map(({ id }) => id) });
    const now = [...turned, ...items.slice(100)];
    const { recall, plans } = await search(now);
    expect(plans).toEqual(["graph"]);
    // Twins have one similarity: either may be the tenth.
    expect(recall).toBeGreaterThan(0.98);
    await held;
    await store.upsert("photos", [turned[0]]);
    await store.whenIndexed();
    expect(await stats()).toEqual({ engine: "pgvector", state: "ready", indexed: now.length });
    expect((await search(now)).recall).toBeGreaterThan(0.98);
  });

  it("is finished by the next server when the one that built it has ended", async () => {
    await store.close();
    await server.query("update crossmodal.collections set graph = 'building'");
    store = await open();
    await store.whenIndexed();
    expect(await stats()).toMatchObject({ state: "ready" });
  });

  it("folds the sums that writers leave, and keeps the means", async () => {
    await store.createCollection({ name: "means", space: "toy", dimensions });
    for (const item of items.slice(0, 150)) await store.upsert("means", [item]);
    await store.whenIndexed();
    const [{ rows }] = await server.query<{ rows: number }>(
      `select count(*)::int as rows from crossmodal.mean_deltas where n =
         (select n from crossmodal.names where name = 'means')`,
    );
    expect(rows).toBeLessThan(110);
    expect((await store.stats("means")).count).toBe(150);
  });
});
