import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  appendFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statfsSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { DatabaseSync } from "@photostructure/sqlite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { EmbeddedStore } from "../../../src/index/embedded/embedded-store.js";
import { shapeOf } from "../../../src/index/embedded/inspect-database.js";
import { openEmbeddedStore } from "../../../src/index/embedded/open-embedded-store.js";
import { restoreBackup } from "../../../src/index/embedded/restore-backup.js";
import type { Item } from "../../../src/index/item.js";
import { dot } from "../../../src/math/vector.js";
import { randomItems } from "../random-items.js";

const dimensions = 16;
const items = randomItems(300, dimensions);
const query = randomItems(1, dimensions, 9)[0].embedding;

let dataDir: string;
let store: EmbeddedStore | undefined;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), "crossmodal-failures-"));
});
afterEach(async () => {
  await store?.close();
  store = undefined;
  rmSync(dataDir, { recursive: true });
});

/** Opens with limits so low that 300 items have a graph and a snapshot. */
const open = async (options = {}) => {
  store = await openEmbeddedStore({
    dataDir,
    scanUpTo: 50,
    scanHighUpTo: 50,
    snapshotAfter: 100,
    ...options,
  });
  return store;
};
const fill = async (some: Item[] = items) => {
  const filled = await open();
  await filled.createCollection({ name: "c", space: "s", dimensions });
  await filled.upsert("c", some);
  await filled.warmUp("c");
  await filled.whenIndexed();
  await filled.close();
};
const expectRightAnswers = async (some: readonly Item[] = items) => {
  const expected = some.map(({ id, embedding }) => ({ id, similarity: dot(query, embedding) }));
  expected.sort((a, b) => b.similarity - a.similarity);
  const [{ neighbors, plan }] = await (store as EmbeddedStore).search("c", [
    { embedding: query, topK: 10 },
  ]);
  expect(neighbors.map(({ id }) => id)).toEqual(expected.slice(0, 10).map(({ id }) => id));
  return plan;
};
const graphFile = () => join(dataDir, "index", readdirSync(join(dataDir, "index"))[0]);

describe("snapshots of the graph", () => {
  it("are used again: an opened store answers through the graph at once", async () => {
    await fill();
    await open();
    expect(await expectRightAnswers()).toBe("graph");
  });

  const damages: [string, () => void][] = [
    ["is truncated", () => truncateSync(graphFile(), 1000)],
    ["is empty", () => truncateSync(graphFile(), 0)],
    ["has one bit flipped", () => flipBit(graphFile())],
    ["has grown", () => appendFileSync(graphFile(), "x")],
    ["is missing", () => rmSync(graphFile())],
    ["is missing with its folder", () => rmSync(join(dataDir, "index"), { recursive: true })],
  ];
  for (const [what, damage] of damages) {
    it(`are built again when the file ${what}, while scans answer`, async () => {
      await fill();
      damage();
      const opened = await open();
      expect(await expectRightAnswers()).toBe("exact");
      await opened.whenIndexed();
      expect(await expectRightAnswers()).toBe("graph");
      expect((await opened.stats("c")).index).toMatchObject({ state: "ready", indexed: 300 });
    });
  }

  it("omit deleted items and find those added or replaced after they were written", async () => {
    await fill();
    const copy = readFileSync(graphFile());
    const name = graphFile();
    const opened = await open({ snapshotAfter: 1e9 });
    const [turned] = randomItems(1, dimensions, 77);
    await opened.delete("c", { ids: items.slice(0, 20).map(({ id }) => id) });
    await opened.upsert("c", [
      { ...turned, id: "item-30" },
      { ...items[31], id: "new" },
    ]);
    expect(readFileSync(name).equals(copy)).toBe(true);
    const now = [
      ...items.slice(20, 30),
      ...items.slice(31),
      { ...turned, id: "item-30" },
      { ...items[31], id: "new" },
    ];
    await expectRightAnswers(now);
    await opened.close();
    await open();
    expect(await expectRightAnswers(now)).toBe("graph");
  });

  it("are cleared of files that nothing points to", async () => {
    await fill();
    writeFileSync(join(dataDir, "index", "7-7-old.graph.part"), "half");
    await open();
    expect(readdirSync(join(dataDir, "index"))).toHaveLength(1);
  });

  it("of another engine are not loaded", async () => {
    await fill();
    await open({ engine: "hnswlib" });
    expect(await expectRightAnswers()).toBe("exact");
    await store?.whenIndexed();
    expect(await expectRightAnswers()).toBe("graph");
    await store?.close();
    await open({ engine: "usearch" });
    expect(await expectRightAnswers()).toBe("exact");
    await store?.whenIndexed();
    expect(await expectRightAnswers()).toBe("graph");
  });
});

describe("a data folder", () => {
  it("is refused to a second store, naming the process that has it", async () => {
    await fill();
    await open();
    await expect(openEmbeddedStore({ dataDir })).rejects.toMatchObject({
      code: "storage_locked",
      message: expect.stringContaining(`process ${process.pid}`),
    });
    await expectRightAnswers(); // the refused one has done no harm
  });

  it("is free again when the process that had it was killed", async () => {
    const child = fileURLToPath(new URL("./durability-child.ts", import.meta.url));
    const writer = spawn(process.execPath, ["--import", "tsx", child, dataDir, "1"], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(writer.stdout, "data");
    await expect(openEmbeddedStore({ dataDir })).rejects.toMatchObject({
      code: "storage_locked",
      message: expect.stringContaining(`process ${writer.pid}`),
    });
    writer.kill("SIGKILL");
    await once(writer, "close");
    await expect(open()).resolves.toBeDefined();
  });

  it("that cannot be written is a clear error", async () => {
    const file = join(dataDir, "file");
    writeFileSync(file, "");
    // Not even root writes under a file or into /proc.
    for (const folder of [join(file, "data"), "/proc/crossmodal"]) {
      const error = { code: "storage_failed", message: expect.stringContaining(folder) };
      await expect(openEmbeddedStore({ dataDir: folder })).rejects.toMatchObject(error);
    }
  });

  it("with a damaged database is a clear error, not a crash", async () => {
    writeFileSync(join(dataDir, "crossmodal.sqlite"), "this is no database".repeat(2000));
    await expect(open()).rejects.toMatchObject({ code: "storage_corrupt" });
  });
});

describe("a full disk", () => {
  it("is storage_full; stored items stay, and small writes go on once there is room", async () => {
    const opened = await open({ maxPages: 60 }); // of 16 KB: about 1 MB
    await opened.createCollection({ name: "c", space: "s", dimensions });
    await opened.upsert("c", items.slice(0, 100));
    const large = items
      .slice(100, 200)
      .map((item) => ({ ...item, metadata: { text: "x".repeat(50_000) } }));
    await expect(opened.upsert("c", large)).rejects.toMatchObject({ code: "storage_full" });
    // Two at once share a transaction; only the large one fails.
    const [failed, stored] = await Promise.allSettled([
      opened.upsert("c", large),
      opened.upsert("c", [items[200]]),
    ]);
    expect(failed).toMatchObject({ status: "rejected", reason: { code: "storage_full" } });
    expect(stored).toMatchObject({ status: "fulfilled" });
    await expectRightAnswers([...items.slice(0, 100), items[200]]);
    await opened.close();
    await open();
    await expectRightAnswers([...items.slice(0, 100), items[200]]);
  });

  it("or a file that may not grow: an error and nothing lost", async () => {
    await fill(items.slice(0, 100));
    const storeModule = new URL(
      "../../../src/index/embedded/open-embedded-store.ts",
      import.meta.url,
    );
    const script = `
      import { openEmbeddedStore } from ${JSON.stringify(storeModule.href)};
      const store = await openEmbeddedStore({ dataDir: ${JSON.stringify(dataDir)} });
      const unit = Float32Array.from({ length: ${dimensions} }, (_, i) => (i === 0 ? 1 : 0));
      const large = { modality: "text", embedding: unit, metadata: { text: "x".repeat(500000) } };
      for (let i = 0; i < 100; i++) {
        try {
          await store.upsert("c", [{ ...large, id: "large-" + i }]);
          console.log("stored " + i);
        } catch (error) {
          console.log(error.code);
          break;
        }
      }
      process.exit(0);`;
    const file = join(dataDir, "writer.mts");
    writeFileSync(file, script);
    // Files of at most 4 MB (ulimit counts KB); the signal that goes with it is ignored, so that
    // the write fails instead.
    const tsx = fileURLToPath(
      new URL("../../../node_modules/tsx/dist/esm/index.mjs", import.meta.url),
    );
    const run = spawnSync(
      "bash",
      [
        "-c",
        `trap '' XFSZ; ulimit -f 4096; exec "$0" --import "$1" "$2"`,
        process.execPath,
        tsx,
        file,
      ],
      {
        encoding: "utf8",
      },
    );
    const lines = run.stdout.trim().split("\n");
    expect(["storage_full", "storage_failed"], run.stderr).toContain(lines.at(-1));
    const opened = await open();
    expect(await opened.count("c")).toBe(100 + lines.length - 1);
    await expectRightAnswers(items.slice(0, 100));
  });
});

describe("backup and restoreBackup", () => {
  it("carry everything over, taken while items are added", async () => {
    await fill(items.slice(0, 200));
    const opened = await open();
    const file = join(dataDir, "backup", "copy.sqlite");
    await Promise.all([
      opened.backup(file),
      ...items.slice(200).map((item) => opened.upsert("c", [item])),
    ]);
    await expect(opened.backup(file)).rejects.toMatchObject({ code: "already_exists" });
    await expect(restoreBackup(file, dataDir, { replace: true })).rejects.toMatchObject({
      code: "storage_locked",
    });
    await opened.delete("c", { filter: { field: "n", op: "gte", value: 0 } });
    await opened.close();
    await expect(restoreBackup(file, dataDir)).rejects.toMatchObject({ code: "already_exists" });
    await restoreBackup(file, dataDir, { replace: true });
    const restored = await open();
    const count = await restored.count("c");
    expect(count).toBeGreaterThanOrEqual(200);
    expect(
      (
        await restored.get(
          "c",
          items.map(({ id }) => id),
        )
      ).length,
    ).toBe(count);
    expect(await restored.get("c", ["item-7"])).toMatchObject([items[7]]);
  });

  it("refuses a damaged backup and leaves the folder as it was", async () => {
    await fill();
    const file = join(dataDir, "copy.sqlite");
    writeFileSync(file, "no database");
    await expect(restoreBackup(file, dataDir, { replace: true })).rejects.toMatchObject({
      code: "storage_corrupt",
    });
    await expect(restoreBackup(`${file}.no`, dataDir)).rejects.toMatchObject({ code: "not_found" });
    const pipe = join(dataDir, "pipe");
    if (spawnSync("mkfifo", [pipe]).status === 0)
      await expect(restoreBackup(pipe, dataDir, { replace: true })).rejects.toMatchObject({
        message: expect.stringContaining("it is not a regular file"),
      });
    const huge = join(dataDir, "huge");
    writeFileSync(huge, "");
    const { bavail, bsize } = statfsSync(dataDir);
    truncateSync(huge, bavail * bsize + 2 ** 30); // all a hole
    await expect(restoreBackup(huge, dataDir, { replace: true })).rejects.toMatchObject({
      code: "storage_full",
      message: expect.stringContaining("bytes are needed in"),
    });
    rmSync(huge);
    await open();
    await expectRightAnswers();
  });

  it("refuse a backup with something in it that would run at each write", async () => {
    await fill(items.slice(0, 20));
    const opened = await open();
    const file = join(dataDir, "copy.sqlite");
    await opened.backup(file);
    await opened.close();
    store = undefined;
    const db = new DatabaseSync(file);
    db.exec("CREATE TRIGGER evil AFTER INSERT ON items BEGIN DELETE FROM items; END");
    db.close();
    const { pageSize, pageCount } = shapeOf(file);
    truncateSync(file, pageSize * pageCount); // as of a version without checksums
    await expect(restoreBackup(file, dataDir, { replace: true })).rejects.toMatchObject({
      code: "storage_corrupt",
      message: expect.stringContaining('it holds the trigger "evil"'),
    });
  });
});

function flipBit(file: string) {
  const bytes = readFileSync(file);
  bytes[bytes.length >> 1] ^= 1;
  writeFileSync(file, bytes);
}
