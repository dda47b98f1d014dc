import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openPostgresStore } from "../../../src/index/postgres/open-postgres-store.js";
import type { PostgresStore } from "../../../src/index/postgres/postgres-store.js";
import type { Changes } from "../../../src/index/vector-store.js";
import { seededRandom } from "../../../src/math/random.js";
import { hasPostgres, onPostgres, TestPostgres } from "../../helpers/postgres.js";
import { randomItems } from "../random-items.js";

const dimensions = 16;

describe.skipIf(!hasPostgres(18))(onPostgres("PostgresStore of two servers"), () => {
  let server: TestPostgres;
  let one: PostgresStore;
  let other: PostgresStore;
  beforeAll(async () => {
    server = await TestPostgres.start();
    one = await openPostgresStore({ url: server.url() });
    other = await openPostgresStore({ url: server.url() });
  });
  afterAll(async () => {
    await one?.close();
    await other?.close();
    await server?.dispose();
  });

  it("lets both write the same ids at once, in any order, and keeps counts and means", async () => {
    await one.createCollection({ name: "busy", space: "toy", dimensions });
    const items = randomItems(60, dimensions);
    const random = seededRandom(4);
    const write = async (store: PostgresStore) => {
      for (let round = 0; round < 20; round++) {
        const some = [...items].sort(() => random.integer(3) - 1).slice(0, 30);
        const statuses = await store.upsert("busy", some);
        expect(statuses.every(({ status }) => status === "stored")).toBe(true);
        await store.delete("busy", { ids: some.slice(0, 5).map(({ id }) => id) });
      }
    };
    await Promise.all([write(one), write(one), write(other), write(other)]);
    await one.upsert("busy", items);
    const { count, countByModality } = await other.stats("busy");
    expect(count).toBe(60);
    const expected: Record<string, number> = {};
    for (const { modality } of items) expected[modality] = (expected[modality] ?? 0) + 1;
    expect(countByModality).toEqual(expected);
    const query = { embedding: items[0].embedding, topK: 60, centering: {} };
    const before = await one.search("busy", [query]);
    await one.compact(); // sums every embedding again
    const after = await one.search("busy", [query]);
    for (const [i, { similarity }] of after[0].neighbors.entries())
      expect(similarity).toBeCloseTo(before[0].neighbors[i].similarity, 10);
  });

  it("carries over what the other writes while one makes a copy of a collection", async () => {
    await one.createCollection({ name: "photos", space: "a", dimensions, fields: ["n"] });
    const items = randomItems(400, dimensions);
    await one.upsert("photos", items);
    const expected = new Map<string, number>(items.map(({ id }) => [id, 0]));
    const random = seededRandom(7);
    let space = "a";
    let isOver = false;
    let conflicts = 0;
    const writer = async () => {
      for (let round = 1; !isOver; round++) {
        const some = Array.from({ length: 5 }, () => items[random.integer(400)]);
        const changed = some.map((item) => ({ ...item, metadata: { ...item.metadata, round } }));
        try {
          await other.upsert("photos", changed, { space });
          for (const { id } of changed) expected.set(id, round);
          const n = random.integer(400);
          await other.delete("photos", { filter: { field: "n", op: "eq", value: n } });
          expected.delete(items[n].id);
        } catch (error) {
          expect(error).toMatchObject({ code: "conflict" });
          conflicts++;
          space = "b";
        }
      }
    };
    const writing = writer();
    const watch = await one.watch("photos");
    await expect(other.watch("photos")).rejects.toMatchObject({ code: "conflict" });
    await one.createCollection({ name: "copy", space: "b", dimensions, fields: ["n"] });
    const scanned: typeof items = [];
    for await (const item of one.scan("photos", { batchSize: 50 })) scanned.push(item);
    await one.upsert("copy", scanned);
    const catchUp = async ({ ids }: Changes) => {
      const there = await one.get("photos", [...ids]);
      const found = new Set(there.map(({ id }) => id));
      await one.delete("copy", { ids: [...ids].filter((id) => !found.has(id)) });
      await one.upsert("copy", there);
    };
    for (let round = 0; round < 5; round++) await catchUp(await watch.take());
    await watch.replaceBy("copy", catchUp);
    await watch.end();
    await expect.poll(() => conflicts).toBe(1);
    isOver = true;
    await writing;

    expect(await other.stats("photos")).toMatchObject({ space: "b", count: expected.size });
    const stored = new Map<string, unknown>();
    for await (const { id, metadata } of one.scan("photos")) stored.set(id, metadata.round ?? 0);
    expect(stored).toEqual(expected);
    // Nothing of the watch is left behind
    const left = await server.query("select relname from pg_class where relname like 'changes_%'");
    expect(left).toEqual([]);
  });
});
