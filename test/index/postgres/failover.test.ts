import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  connectionsTo,
  openPostgresStore,
} from "../../../src/index/postgres/open-postgres-store.js";
import type { PostgresStore } from "../../../src/index/postgres/postgres-store.js";
import { databaseCondition } from "../../../src/index/postgres/replication.js";
import { seededRandom } from "../../../src/math/random.js";
import { hasPostgres, onPostgres, TestPostgres } from "../../helpers/postgres.js";
import { randomItems } from "../random-items.js";

const dimensions = 16;
/** How far a standby has received what its primary wrote. */
async function received(standby: TestPostgres): Promise<number> {
  const [{ at }] = await standby.query<{ at: string }>(
    "select pg_last_wal_receive_lsn() - '0/0' as at",
  );
  return Number(at);
}
const next = (ms: number) => new Promise((done) => setTimeout(done, ms));

describe.skipIf(!hasPostgres(18))(onPostgres("PostgresStore while its database dies"), () => {
  let primary: TestPostgres;
  let standby: TestPostgres;
  let second: TestPostgres;
  let promoted: TestPostgres;
  const stores: PostgresStore[] = [];
  beforeAll(async () => {
    primary = await TestPostgres.start();
    standby = await TestPostgres.standbyOf(primary);
    second = await TestPostgres.standbyOf(primary);
    // After the copy was made: the standby must not wait for another one itself.
    await primary.query("alter system set synchronous_standby_names = 'ANY 1 (*)'");
    await primary.query("alter system set synchronous_commit = 'remote_apply'");
    await primary.query("select pg_reload_conf()");
    const hosts = [primary, second, standby].map(({ port }) => `127.0.0.1:${port}`).join(",");
    const url = `postgres://postgres@${hosts}/postgres`;
    const limits = { connectTimeoutMs: 2000, commitTimeoutMs: 3000, maxConnections: 4 };
    // Whatever a copy can answer, it does.
    const byCopy = { copyFrom: 1, scanMatchesUpTo: 0, scanHighUpTo: 0 };
    for (let i = 0; i < 2; i++) stores.push(await openPostgresStore({ url, ...limits, ...byCopy }));
  });
  afterAll(async () => {
    for (const store of stores) await store.close();
    await primary?.dispose();
    await standby?.dispose();
    await second?.dispose();
  });

  it("tells its role, and how far standbys are behind, to whoever may see them", async () => {
    const conditionOf = async (url: string) => {
      const connections = connectionsTo({ url, connectTimeoutMs: 2000 });
      try {
        return await databaseCondition(connections);
      } finally {
        await connections.close();
      }
    };
    const standbys = async () => (await conditionOf(primary.url())).standbys ?? [];
    const sync = "quorum";
    await expect.poll(async () => (await standbys()).map((one) => one.sync)).toEqual([sync, sync]);
    await expect
      .poll(async () => (await standbys()).map(({ lagBytes }) => lagBytes))
      .toEqual([0, 0]);
    await standby.pause();
    try {
      await primary.query("create table behind as select generate_series(1, 1000)");
      const behind = async () =>
        (await standbys()).map(({ name, lagBytes }) => [name, lagBytes > 1000]);
      const expected = [
        [`s${second.port}`, false],
        [`s${standby.port}`, true],
      ];
      await expect.poll(behind).toEqual(expected);
    } finally {
      await standby.resume();
    }
    expect(await conditionOf(standby.url())).toEqual({ role: "standby" });
    expect(await conditionOf("postgres://postgres@127.0.0.1:1/postgres")).toEqual({ role: "away" });
    await primary.query("create role plain login");
    const asPlain = primary.url().replace("postgres@", "plain@");
    expect(await conditionOf(asPlain)).toEqual({ role: "primary" });
    await primary.query("grant pg_monitor to plain");
    expect(await conditionOf(asPlain)).toMatchObject({ standbys: [{ sync }, { sync }] });
  });

  it("loses nothing that was acknowledged when the primary is killed and a standby takes over", async () => {
    await stores[0].createCollection({ name: "photos", space: "toy", dimensions });
    const items = randomItems(5000, dimensions);
    const acknowledged = new Set<string>();
    const failures: { code?: string; retryAfterSeconds?: number }[] = [];
    let isOver = false;
    let afterFailover = 0;
    let isPromoted = false;
    const writer = async (store: PostgresStore, from: number) => {
      for (let at = from; !isOver && at < items.length; at += 40) {
        const some = items.slice(at, at + 10);
        try {
          for (const status of await store.upsert("photos", some))
            if (status.status === "stored") acknowledged.add(status.id);
          if (isPromoted) afterFailover++;
        } catch (error) {
          failures.push(error as { code?: string });
          at -= 40; // as a client does: once more
          await next(50);
        }
      }
    };
    const embeddingOf = new Map(items.map(({ id, embedding }) => [id, embedding]));
    const random = seededRandom(3);
    const plans = new Set<string>();
    const wrong: unknown[] = [];
    /** What was acknowledged before a search is found by it, whoever wrote it. */
    const reader = async (store: PostgresStore) => {
      for (; !isOver; await next(10)) {
        if (acknowledged.size === 0) continue;
        const id = [...acknowledged][random.integer(acknowledged.size)];
        const embedding = embeddingOf.get(id) as Float32Array;
        try {
          const [{ neighbors, plan }] = await store.search("photos", [{ embedding, topK: 1 }]);
          if (neighbors[0]?.id !== id) wrong.push({ id, neighbors, plan });
          plans.add(plan);
        } catch (error) {
          failures.push(error as { code?: string });
        }
      }
    };
    const work = [
      ...[0, 10, 20, 30].map((from, i) => writer(stores[i % 2], from)),
      ...stores.map(reader),
    ];
    while (acknowledged.size < 200 || !plans.has("scan")) await next(20);
    await primary.kill();
    await stores[1].condition();
    expect(stores[1].trouble).toContain("The database cannot be used at the moment");
    // The one that has all that was acknowledged
    const [one, other] = await Promise.all([standby, second].map(received));
    promoted = one >= other ? standby : second;
    await promoted.promote();
    isPromoted = true;
    while (afterFailover < 20) await next(20);
    isOver = true;
    await Promise.all(work);
    expect(wrong).toEqual([]);
    await stores[1].condition();
    expect(stores[1].trouble).toBeUndefined();

    expect(failures.length).toBeGreaterThan(0);
    for (const { code, retryAfterSeconds } of failures)
      expect({ code, retryAfterSeconds }).toEqual({
        code: "storage_unavailable",
        retryAfterSeconds: expect.any(Number),
      });
    const found = new Map(
      (await stores[1].get("photos", [...acknowledged])).map((item) => [item.id, item]),
    );
    expect([...acknowledged].filter((id) => !found.has(id))).toEqual([]);
    for (const item of items) {
      const stored = found.get(item.id);
      if (stored !== undefined) expect(stored.embedding).toEqual(item.embedding);
    }
  });

  it("answers in time when a standby that a commit waits for is away, and goes on after", async () => {
    await promoted.query("alter system set synchronous_standby_names = 'nobody'");
    await promoted.query("select pg_reload_conf()");
    const [item] = randomItems(1, dimensions, 9);
    await expect(
      (async () => {
        // The setting is read a moment after it was changed
        for (;;) await stores[0].upsert("photos", [item]);
      })(),
    ).rejects.toMatchObject({
      code: "storage_unavailable",
      message: expect.stringContaining("may or may not have stored this"),
    });
    await promoted.query("alter system reset synchronous_standby_names");
    await promoted.query("select pg_reload_conf()");
    await expect
      .poll(() => stores[0].upsert("photos", [item]).catch((error) => error.code))
      .toMatchObject([{ status: "stored" }]);
  });

  it("answers in time while the database is paused, and goes on when it does", async () => {
    const [item] = randomItems(1, dimensions, 11);
    await stores[0].upsert("photos", [item]); // there is a connection that looks well
    await promoted.pause();
    const unavailable = { code: "storage_unavailable", retryAfterSeconds: expect.any(Number) };
    try {
      await expect(stores[0].upsert("photos", [item])).rejects.toMatchObject(unavailable);
      await expect(stores[0].stats("photos")).rejects.toMatchObject(unavailable);
    } finally {
      await promoted.resume();
    }
    await expect
      .poll(() => stores[0].upsert("photos", [item]).catch((error) => error.code))
      .toMatchObject([{ status: "stored" }]);
  });
});
