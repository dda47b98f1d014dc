// slow: builds graphs and 8-bit copies
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { EmbeddedStore } from "../../../src/index/embedded/embedded-store.js";
import { range, scanQuantized, scanSome } from "../../../src/index/embedded/exact-scan.js";
import { openEmbeddedStore } from "../../../src/index/embedded/open-embedded-store.js";
import { loadCopy, writeCopy } from "../../../src/index/embedded/snapshot.js";
import { TableRenewal } from "../../../src/index/embedded/table-renewal.js";
import { VectorTable } from "../../../src/index/embedded/vector-table.js";
import { TopK } from "../../../src/index/top-k.js";
import { seededRandom } from "../../../src/math/random.js";
import { coneVector, randomItems } from "../random-items.js";

const dimensions = 24;
const random = seededRandom(21);
const pieceRows = 256;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "crossmodal-copy-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe("the 8-bit copy of a table, saved and taken over by another", () => {
  const vectors = Array.from({ length: 1100 }, () => coneVector(random, dimensions));
  /** A table of some of the rows 1, 2, … */
  const tableOf = (rows: Iterable<number>) => {
    const table = new VectorTable(dimensions, pieceRows);
    for (const row of rows) table.append(row, 0, vectors[row - 1]);
    return table;
  };
  const expectRightScans = (table: VectorTable) => {
    for (let i = 0; i < 10; i++) {
      const vector = coneVector(random, dimensions);
      const [scan, loop] = [new TopK(10), new TopK(10)];
      scanQuantized(table, [{ vector, top: scan }]);
      scanSome(table, vector, loop, range(0, table.length));
      expect(scan.sorted()).toEqual(loop.sorted());
    }
  };
  const saved = async () => {
    const table = tableOf(range(1, 1001));
    while (table.isCopyBehind) table.extendCopy();
    const record = await writeCopy(folder, "1-1000-x", table.savedCopy());
    const loaded = loadCopy(folder, record, dimensions);
    if ("doubt" in loaded) throw new Error(loaded.doubt);
    return loaded.pieces;
  };

  it("is whole where all its rows are there, and grows on", async () => {
    const table = tableOf(range(1, 1001));
    table.useCopy(await saved());
    expect(table.isCopyBehind).toBe(false);
    expectRightScans(table);
    for (let row = 1001; row <= 1100; row++) table.append(row, 0, vectors[row - 1]);
    expect(table.isCopyBehind).toBe(true);
    while (table.isCopyBehind) table.extendCopy();
    expectRightScans(table);
  });

  it("leaves out rows that are gone", async () => {
    const table = tableOf([...range(1, 1001)].filter((row) => row % 3 !== 0 && row > 10));
    table.useCopy(await saved());
    expect(table.copiedRows).toBe([...range(11, 961)].filter((row) => row % 3 !== 0).length);
    expectRightScans(table);
    while (table.isCopyBehind) table.extendCopy();
    expectRightScans(table);
  });

  it("is made anew from the first piece of which little is left", async () => {
    const rows = [...range(1, 1001)].filter((row) => row <= 256 || row > 500);
    const table = tableOf(rows);
    table.useCopy(await saved());
    expect(table.copiedRows).toBe(256);
    while (table.isCopyBehind) table.extendCopy();
    expectRightScans(table);
  });

  it("is not used when it lacks a row between its own, or is of other vectors", async () => {
    const pieces = await saved();
    const { numbers } = pieces[1];
    numbers.set(numbers.map((row) => (row === 300 ? 299.5 : row)));
    const table = tableOf(range(1, 1001));
    table.useCopy(pieces);
    expect(table.copiedRows).toBe(0);
    const other = new VectorTable(dimensions, pieceRows);
    for (const row of range(1, 1001))
      other.append(
        row,
        0,
        vectors[row].map((x) => -x),
      );
    other.useCopy(await saved());
    expect(other.copiedRows).toBe(0);
  });

  it("stays with a table that is made anew without its removed rows", () => {
    const table = tableOf(range(1, 1001));
    while (table.isCopyBehind) table.extendCopy();
    for (const row of range(100, 200)) table.remove(row);
    const renewal = new TableRenewal(table);
    while (!renewal.work(0));
    const without = renewal.table;
    expect(without.copiedRows).toBe(table.copiedRows - 100);
    expectRightScans(without);
  });
});

describe("the 8-bit copy of a collection", () => {
  const items = randomItems(3000, dimensions);
  const query = { embedding: coneVector(random, dimensions), topK: 10 };
  let store: EmbeddedStore;
  const open = async () => {
    store = await openEmbeddedStore({ dataDir: folder, snapshotAfter: 1000 });
    await store.warmUp("c").catch(() => undefined);
  };
  const copies = () => {
    return readdirSync(join(folder, "index")).map((name) => join(folder, "index", name));
  };
  beforeEach(async () => {
    await open();
    await store.createCollection({ name: "c", space: "s", dimensions });
    await store.upsert("c", items);
    await store.warmUp("c");
    await store.whenIndexed();
    await store.close();
  });

  const expectRightAnswers = async () => {
    const [scan] = await store.search("c", [query]);
    const [exact] = await store.search("c", [{ ...query, recall: "exact" }]);
    expect(scan.plan).toBe("scan");
    expect(scan.neighbors).toEqual(exact.neighbors);
  };

  it("is one file, written again when the collection has grown by enough", async () => {
    const [before, ...others] = copies();
    expect(others).toEqual([]);
    expect(before).toMatch(/\.i8$/);
    await open();
    await expectRightAnswers();
    await store.upsert(
      "c",
      randomItems(1200, dimensions, 5).map((item) => ({ ...item, id: `+${item.id}` })),
    );
    await store.whenIndexed();
    await expectRightAnswers();
    await store.close();
    expect(copies()).toHaveLength(1);
    expect(copies()[0]).not.toBe(before);
  });

  const damages: [string, (file: string) => void][] = [
    ["cut", (file) => truncateSync(file, 1000)],
    ["gone", (file) => rmSync(file)],
    ["flipped in one bit", flipBit],
  ];
  for (const [what, damage] of damages) {
    it(`is made again, and written again, when its file is ${what}`, async () => {
      const [file] = copies();
      damage(file);
      await open();
      await expectRightAnswers();
      await store.whenIndexed();
      await store.close();
      const [again, ...others] = copies();
      expect(others).toEqual([]);
      expect(again).not.toBe(file);
      await open();
      await expectRightAnswers();
      await store.close();
    });
  }
});

function flipBit(file: string) {
  const bytes = readFileSync(file);
  bytes[bytes.length >> 1] ^= 1;
  writeFileSync(file, bytes);
}
