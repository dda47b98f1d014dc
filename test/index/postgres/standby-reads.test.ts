import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type Connection, Connections } from "../../../src/index/postgres/connections.js";
import {
  connectionsTo,
  openPostgresStore,
} from "../../../src/index/postgres/open-postgres-store.js";
import type { PostgresStore } from "../../../src/index/postgres/postgres-store.js";
import { seededRandom } from "../../../src/math/random.js";
import { hasPostgres, onPostgres, TestPostgres } from "../../helpers/postgres.js";
import { coneVector, randomItems } from "../random-items.js";

const dimensions = 16;
const urlOf = (...servers: TestPostgres[]) =>
  `postgres://postgres@${servers.map(({ port }) => `127.0.0.1:${port}`).join(",")}/postgres`;

describe.skipIf(!hasPostgres(18))(onPostgres("reads on standbys"), () => {
  // Whatever a copy can answer, it does.
  const limits = { connectTimeoutMs: 2000, copyFrom: 1, scanMatchesUpTo: 0, scanHighUpTo: 0 };
  let primary: TestPostgres;
  let standby: TestPostgres;
  let second: TestPostgres;
  const opened: { close(): Promise<void> }[] = [];
  let reader: PostgresStore;
  let writer: PostgresStore;
  /** How many reads of the reader were answered by a standby. */
  let onStandbys = 0;

  beforeAll(async () => {
    primary = await TestPostgres.start();
    standby = await TestPostgres.standbyOf(primary);
    second = await TestPostgres.standbyOf(primary);
    for (const name of ["readAnywhere", "readAtOnce"] as const) {
      const read = Connections.prototype[name];
      vi.spyOn(Connections.prototype, name).mockImplementation(function <T>(
        this: Connections,
        ...[work, options]: Parameters<typeof read<T>>
      ) {
        const counted = async (db: Connection) => {
          const { rows } = await db.query("select pg_is_in_recovery() as standby");
          if (rows[0].standby) onStandbys++;
          return work(db);
        };
        return read.call(this, counted, options) as Promise<T>;
      });
    }
    const url = urlOf(primary, standby, second);
    reader = await openPostgresStore({ url, readsOnStandbys: true, ...limits });
    writer = await openPostgresStore({ url, ...limits });
    opened.push(reader, writer);
  });
  afterAll(async () => {
    vi.restoreAllMocks();
    for (const one of opened) await one.close();
    for (const one of [primary, standby, second]) await one?.dispose();
  });

  const random = seededRandom(5);
  let added = 0;
  /** Adds items and changes others through the writer; the reader has to know of it at once. */
  async function writeAndRead(rounds: number): Promise<void> {
    for (let round = 0; round < rounds; round++) {
      const id = `new-${++added}`;
      const embedding = coneVector(random, dimensions);
      await writer.upsert("photos", [{ id, embedding, modality: "text", metadata: { added } }]);
      const [[{ neighbors }], [item], { items }] = await Promise.all([
        reader.search("photos", [{ embedding, topK: 1 }]),
        reader.get("photos", [id]),
        reader.page("photos", { limit: 1, filter: { field: "added", op: "eq", value: added } }),
      ]);
      expect([neighbors[0].id, item?.id, items[0]?.id]).toEqual([id, id, id]);
    }
  }

  it("see everything that was written before through any server", async () => {
    await writer.createCollection({ name: "photos", space: "toy", dimensions });
    await writer.upsert("photos", randomItems(400, dimensions));
    // By the copy
    await expect.poll(async () => (await reader.search("photos", [query()]))[0].plan).toBe("scan");
    onStandbys = 0;
    await writeAndRead(60);
    await expect
      .poll(async () => {
        await reader.stats("photos");
        return onStandbys;
      })
      .toBeGreaterThan(20);
  });
  const query = () => ({ embedding: coneVector(random, dimensions), topK: 3 });

  it("go to the primary where the standbys are behind, or do not answer", async () => {
    for (const one of [standby, second]) await one.query("select pg_wal_replay_pause()");
    onStandbys = 0;
    await writeAndRead(5);
    expect(onStandbys).toBe(0);
    for (const one of [standby, second]) await one.query("select pg_wal_replay_resume()");
    await standby.pause();
    await second.kill();
    try {
      await writeAndRead(5);
      expect(onStandbys).toBe(0);
    } finally {
      await standby.resume();
      await second.run();
    }
  });

  it("leave no request waiting where the primary is gone and a standby is paused", async () => {
    await expect
      .poll(async () => {
        onStandbys = 0; // connections to them are idle then
        await Promise.all(Array.from({ length: 6 }, () => reader.stats("photos")));
        return onStandbys;
      })
      .toBeGreaterThan(2);
    await standby.pause();
    await second.pause();
    await primary.kill();
    try {
      await expect(reader.stats("photos")).rejects.toMatchObject({ code: "storage_unavailable" });
    } finally {
      await standby.resume();
      await second.resume();
      await primary.run();
    }
    await expect.poll(() => reader.stats("photos").catch(() => undefined)).toBeDefined();
  });

  it("need several hosts", () => {
    expect(() => connectionsTo({ url: urlOf(primary), readsOnStandbys: true })).toThrow(
      "Expected several hosts",
    );
  });

  it("never go to a standby of a history that was given up, however far it is", async () => {
    // Only the second gets what is written now, and it is lost with the primary.
    const at = async (one: TestPostgres, lsn: string) => {
      const [{ bytes }] = await one.query<{ bytes: string }>(`select ${lsn} - '0/0' as bytes`);
      return Number(bytes);
    };
    const applied = (one: TestPostgres) => at(one, "pg_last_wal_replay_lsn()");
    const written = () => at(primary, "pg_current_wal_lsn()");
    const url = urlOf(primary, standby, second);
    const fresh = await openPostgresStore({ url, readsOnStandbys: true, ...limits });
    opened.push(fresh);
    const before = await written();
    await expect.poll(() => applied(standby)).toBeGreaterThanOrEqual(before);
    await standby.query("alter system set primary_conninfo = ''");
    await standby.query("select pg_reload_conf()");
    const receiving = () => standby.query("select from pg_stat_wal_receiver");
    await expect.poll(async () => (await receiving()).length).toBe(0);
    const lost = randomItems(2000, dimensions, 8).map((item) => ({ ...item, id: `x-${item.id}` }));
    await writer.upsert("photos", lost);
    const end = await written();
    await expect.poll(() => applied(second)).toBeGreaterThanOrEqual(end);
    // The reader's copy has what will be lost.
    const found = async (embedding: Float32Array) => {
      const [{ neighbors, plan }] = await fresh.search("photos", [{ embedding, topK: 1 }]);
      return { id: neighbors[0]?.id, plan };
    };
    await expect.poll(() => found(lost[0].embedding)).toEqual({ id: lost[0].id, plan: "scan" });
    await fresh.whenIndexed();
    await primary.kill();
    await standby.promote();
    reader = fresh;
    onStandbys = 0;
    const first = async () =>
      (await reader.get("photos", [lost[0].id]).catch(() => ["away"])).length;
    await expect.poll(first).toBe(0);
    await writeAndRead(20);
    expect(await first()).toBe(0);
    expect(onStandbys).toBe(0);
    await expect.poll(async () => (await found(lost[0].embedding)).plan).toBe("scan");
    expect((await found(lost[0].embedding)).id).not.toBe(lost[0].id);
    expect(await at(standby, "pg_current_wal_lsn()")).toBeLessThan(await applied(second));
  });
});
