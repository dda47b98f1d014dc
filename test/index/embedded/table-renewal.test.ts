import { describe, expect, it } from "vitest";
import { scanQuantized, scanSome } from "../../../src/index/embedded/exact-scan.js";
import { TableRenewal } from "../../../src/index/embedded/table-renewal.js";
import { VectorTable } from "../../../src/index/embedded/vector-table.js";
import { TopK } from "../../../src/index/top-k.js";
import { seededRandom } from "../../../src/math/random.js";
import { coneVector } from "../random-items.js";

const dimensions = 32;

describe("a table that is made anew without its removed rows", () => {
  it("holds what the old one holds, although rows come and go between the steps", () => {
    const random = seededRandom(7);
    const old = new VectorTable(dimensions, 128);
    const live = new Map<number, Float32Array>();
    let lastRow = 0;
    const append = () => {
      const vector = coneVector(random, dimensions);
      old.append(++lastRow, lastRow % 3, vector);
      live.set(lastRow, vector);
    };
    let renewal: TableRenewal | undefined;
    const remove = () => {
      const row = [...live.keys()][random.integer(live.size)];
      old.remove(row);
      renewal?.remove(row);
      live.delete(row);
    };
    for (let i = 0; i < 2000; i++) append();
    for (let i = 0; i < 600; i++) remove();
    while (old.isCopyBehind) old.extendCopy();
    renewal = new TableRenewal(old);
    let steps = 0;
    for (; !renewal.work(0); steps++) {
      if (steps > 60) continue; // or it never catches up
      for (let i = 0; i < 20; i++) append();
      for (let i = 0; i < 10; i++) remove();
    }
    expect(steps).toBeGreaterThanOrEqual(2000 / 64); // a step is 64 rows at most

    const { table } = renewal;
    const rows: number[] = [];
    for (let position = 0; position < table.length; position++) {
      if (!table.isLive(position)) continue;
      const row = table.row(position);
      rows.push(row);
      expect(table.modality(position)).toBe(row % 3);
      expect(table.vector(position)).toEqual(live.get(row));
    }
    expect(rows).toEqual([...live.keys()]);
    expect(table.removed).toBeLessThan(600);
    expect(table.copiedRows).toBeGreaterThan(1000);
    for (let i = 0; i < 10; i++) {
      const query = coneVector(random, dimensions);
      const [quick, slow] = [new TopK(10), new TopK(10)];
      scanQuantized(table, [{ vector: query, top: quick }]);
      scanSome(table, query, slow, [...Array(table.length).keys()]);
      expect(quick.sorted()).toEqual(slow.sorted());
    }
  });
});
