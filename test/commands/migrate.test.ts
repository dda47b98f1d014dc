import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openEmbeddedStore } from "../../src/index/embedded/open-embedded-store.js";
import { openPostgresStore } from "../../src/index/postgres/open-postgres-store.js";
import type { VectorStore } from "../../src/index/vector-store.js";
import { hasPostgres, onPostgres, TestPostgres } from "../helpers/postgres.js";
import { runMain } from "../helpers/run-main.js";
import { randomItems } from "../index/random-items.js";

const dimensions = 16;
const folder = () => join(mkdtempSync(join(tmpdir(), "crossmodal-migrate-")), "data");

describe.skipIf(!hasPostgres(18))(onPostgres("crossmodal migrate"), () => {
  let server: TestPostgres;
  beforeAll(async () => {
    server = await TestPostgres.start();
  });
  afterAll(() => server?.dispose());

  const using = async <T>(store: VectorStore, work: (store: VectorStore) => Promise<T>) => {
    try {
      return await work(store);
    } finally {
      await store.close();
    }
  };
  const allOf = async (store: VectorStore) => {
    const items = [];
    for await (const item of store.scan("photos"))
      items.push({ ...item, preview: await store.preview("photos", item.id) });
    return items;
  };
  const migrate = (from: string, to: string, ...flags: string[]) =>
    runMain("migrate", "--from", from, "--to", to, "--json", ...flags);

  it("copies everything to a database and back; a second time only what changed", async () => {
    const data = folder();
    const items = randomItems(450, dimensions).map((item, n) => ({
      ...item,
      metadata: { z: 1, a: { y: [n, null], b: "é" }, ...item.metadata },
      ...(n % 2 === 0 && { text: `text ${n}`, source: `/archive/${n}`, contentHash: `h${n}` }),
      ...(n % 3 === 0 && { original: { space: "raw", embedding: item.embedding } }),
      ...(n % 5 === 0 && { preview: { mediaType: "image/png", bytes: Uint8Array.of(n % 256, 2) } }),
    }));
    const before = await using(await openEmbeddedStore({ dataDir: data }), async (store) => {
      const options = { model: "toy" };
      const spec = { name: "photos", space: "toy", dimensions, fields: ["n"], options };
      await store.createCollection(spec);
      await store.createCollection({ name: "empty", space: "toy", dimensions });
      await store.setAlias("live", "photos");
      await store.upsert("photos", items);
      return allOf(store);
    });

    const first = await migrate(data, server.url());
    expect(first.stderr).toBe("");
    const [empty, photos] = first.stdout.split("\n").map((line) => JSON.parse(line));
    expect(empty).toMatchObject({ collection: "empty", items: 0, written: 0 });
    expect(photos).toMatchObject({ collection: "photos", items: 450, written: 450, pruned: 0 });
    await using(await openPostgresStore({ url: server.url() }), async (store) => {
      expect(await allOf(store)).toEqual(before);
      expect(await store.stats("live")).toMatchObject({
        ...{ name: "photos", fields: ["n"], options: { model: "toy" }, count: 450 },
      });
      await store.delete("photos", { ids: ["item-1", "item-2"] });
    });

    await using(await openEmbeddedStore({ dataDir: data }), async (store) => {
      await store.delete("photos", { ids: ["item-9"] });
      await store.patch("photos", [{ id: "item-3", metadata: { more: 1 } }]);
    });
    const refused = await migrate(data, server.url());
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('1 items that the source does not have: "item-9"');
    const second = await migrate(data, server.url(), "--prune");
    expect(JSON.parse(second.stdout.split("\n")[1])).toMatchObject({
      // What the refused one has written is there.
      ...{ items: 449, written: 0, pruned: 1 },
    });

    const back = folder();
    const third = await migrate(server.url(), back);
    expect(JSON.parse(third.stdout.split("\n")[1])).toMatchObject({
      ...{ items: 449, written: 449, checksum: JSON.parse(second.stdout.split("\n")[1]).checksum },
    });
    await using(await openEmbeddedStore({ dataDir: back }), async (store) => {
      const ids = items.map(({ id }) => id).filter((id) => id !== "item-9");
      const found = await store.get("photos", ids);
      expect(found.map(({ id }) => id)).toEqual(ids);
    });
  });

  it("copies heads, label sets and keys as well, and says what it leaves behind", async () => {
    const data = folder();
    await using(await openEmbeddedStore({ dataDir: data }), async (store) => {
      await store.createCollection({ name: "photos", space: "toy", dimensions });
    });
    const files = {
      "keys.json": "{}",
      "heads/birds/1/head.bin": Buffer.alloc(9_000_000, "of two parts"),
      "heads/birds/active.json": "1",
      "label-sets/pets.json": "pets",
      [`media/ab/ab${"0".repeat(62)}`]: "a picture",
      "jobs/one/job.json": "{}",
    };
    for (const [path, bytes] of Object.entries(files)) {
      mkdirSync(dirname(join(data, path)), { recursive: true });
      writeFileSync(join(data, path), bytes);
    }
    await server.query("create database state");
    const database = server.url("state");
    const stateOf = ({ stdout }: { stdout: string }) =>
      stdout
        .split("\n")
        .slice(1)
        .filter(Boolean)
        .map((line) => JSON.parse(line));
    const checksum = expect.any(String);
    const copied = (written: number[]) => [
      ...["heads", "label-sets", "keys"].map((state, i) => ({
        ...{ state, files: [2, 1, 1][i], written: written[i], pruned: 0, checksum },
      })),
      ...["jobs", "media"].map((not_moved) => ({ not_moved, count: 1 })),
    ];
    const first = stateOf(await migrate(data, database));
    expect(first).toEqual(copied([2, 1, 1]));
    writeFileSync(join(data, "label-sets/pets.json"), "other pets");
    expect(stateOf(await migrate(data, database))).toEqual(copied([0, 1, 0]));

    rmSync(join(data, "label-sets/pets.json"));
    writeFileSync(join(data, "label-sets/cats.json"), "cats");
    const refused = await migrate(data, database);
    expect(refused.stderr).toContain('label-sets that the source does not have: "pets.json"');
    const pruned = stateOf(await migrate(data, database, "--prune"));
    expect(pruned[1]).toMatchObject({ state: "label-sets", files: 1, written: 1, pruned: 1 });

    const back = folder();
    const third = stateOf(await migrate(database, back));
    expect(third.map(({ checksum }) => checksum)).toEqual(
      pruned.slice(0, 3).map(({ checksum }) => checksum),
    );
    for (const path of ["keys.json", "heads/birds/1/head.bin", "label-sets/cats.json"])
      expect(readFileSync(join(back, path)).equals(readFileSync(join(data, path)))).toBe(true);
    expect(existsSync(join(back, "label-sets/pets.json"))).toBe(false);
  });

  it("refuses a collection of another space, and a folder without collections", async () => {
    const data = folder();
    await using(await openEmbeddedStore({ dataDir: data }), (store) =>
      store.createCollection({ name: "photos", space: "other", dimensions }),
    );
    const { code, stderr } = await migrate(data, server.url());
    expect(code).toBe(1);
    expect(stderr).toContain("of the space toy, not of other");
    expect((await migrate(folder(), server.url())).stderr).toContain("There are no collections");
  });
});
