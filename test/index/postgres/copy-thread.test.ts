// slow: starts PostgreSQL and a thread that it ends
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { openPostgresStore } from "../../../src/index/postgres/open-postgres-store.js";
import type { PostgresStore } from "../../../src/index/postgres/postgres-store.js";
import type { Log } from "../../../src/log.js";
import type { WorkerHandle } from "../../../src/workers/start-worker.js";
import { hasPostgres, onPostgres, TestPostgres } from "../../helpers/postgres.js";
import { randomItems } from "../random-items.js";

const threads: WorkerHandle[] = [];
vi.mock(import("../../../src/workers/start-worker.js"), async (original) => {
  const actual = await original();
  return {
    ...actual,
    startWorker: (...args) => {
      const thread = actual.startWorker(...args);
      threads.push(thread);
      return thread;
    },
  };
});

const dimensions = 24;

describe.skipIf(!hasPostgres(18))(onPostgres("the thread of the copies"), () => {
  let server: TestPostgres;
  let store: PostgresStore;
  const logged: string[] = [];
  const note = (_: unknown, message: string) => logged.push(message);
  const log = { info: note, warn: note, error: note } as unknown as Log;
  const items = randomItems(600, dimensions);
  beforeAll(async () => {
    server = await TestPostgres.start();
    store = await openPostgresStore({ url: server.url(), copyFrom: 1, scanMatchesUpTo: 0, log });
  });
  afterAll(async () => {
    await store?.close();
    await server?.dispose();
  });

  /** By each item's own vector. */
  const searched = async (name: string) => {
    const [{ neighbors, plan }] = await store.search(name, [
      { embedding: items[7].embedding, topK: 3 },
    ]);
    expect(neighbors[0]).toMatchObject({ id: items[7].id });
    return plan;
  };
  const withCopies = async () => {
    for (const name of ["one", "two"])
      await expect.poll(() => searched(name), { timeout: 30_000, interval: 100 }).toBe("scan");
  };

  it("may end at any moment: the database answers, says why, and copies are read anew", async () => {
    for (const name of ["one", "two"]) {
      await store.createCollection({ name, space: "toy", dimensions });
      await store.upsert(name, items);
    }
    await withCopies();
    expect(threads).toHaveLength(1);

    const asked = Array.from({ length: 20 }, (_, i) => searched(i % 2 === 0 ? "one" : "two"));
    await threads[0].terminate();
    const plans = await Promise.all(asked);
    expect(plans).toContain("exact");
    expect(logged).toContainEqual(expect.stringContaining("The thread of the copies stopped"));
    expect(logged).toContain("a copy of vectors was dropped");

    await withCopies();
    expect(threads).toHaveLength(2);
    await store.upsert("one", [{ ...items[0], id: "late" }]);
    const [{ neighbors, plan }] = await store.search("one", [
      { embedding: items[0].embedding, topK: 2 },
    ]);
    expect(neighbors.map(({ id }) => id)).toEqual([items[0].id, "late"]);
    expect(plan).toBe("scan");
  });
});
