import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CollectionRows } from "../../../src/index/embedded/collection-rows.js";
import { filterSql } from "../../../src/index/embedded/filter-sql.js";
import { prepareSchema } from "../../../src/index/embedded/schema.js";
import { type Database, openDatabase } from "../../../src/index/embedded/sqlite.js";
import { checkFilter, type Filter, type FilterOp } from "../../../src/index/filter.js";
import type { JsonObject } from "../../../src/index/item.js";
import { matchFilter } from "../../../src/index/match-filter.js";
import { filter, metadata, number, text } from "../random-filters.js";

let db: Database;
beforeAll(() => {
  db = openDatabase(":memory:");
});
afterAll(() => db.close());

const sqlMatches = (filter: Filter, metadata: JsonObject): boolean => {
  const { sql, values } = filterSql(checkFilter(filter));
  const row = db
    .prepare(`SELECT 1 FROM (SELECT ? AS metadata) WHERE ${sql}`)
    .get(JSON.stringify(metadata), ...values);
  return row !== undefined;
};

describe("filterSql", () => {
  it("means in SQL what matchFilter means in memory, for any filter and metadata", () => {
    fc.assert(
      fc.property(filter, metadata, (someFilter, someMetadata) => {
        expect(sqlMatches(someFilter, someMetadata)).toBe(matchFilter(someFilter, someMetadata));
      }),
      { numRuns: 3000 },
    );
  });

  it("means the same when the value comes from the metadata itself", () => {
    const ops = fc.constantFrom<FilterOp>("eq", "lt", "lte", "gt", "gte");
    fc.assert(
      fc.property(fc.oneof(text, number), fc.oneof(text, number), ops, (a, b, op) => {
        const stored = JSON.parse(JSON.stringify({ a })) as JsonObject;
        for (const other of [a, b]) {
          const one: Filter = { field: "a", op, value: other };
          expect(sqlMatches(one, stored)).toBe(matchFilter(one, stored));
        }
      }),
      { numRuns: 2000 },
    );
  });

  it("tells true from 1 and a list from its text", () => {
    expect(sqlMatches({ field: "a", op: "eq", value: 1 }, { a: true })).toBe(false);
    expect(sqlMatches({ field: "a", op: "eq", value: true }, { a: 1 })).toBe(false);
    expect(sqlMatches({ field: "a", op: "eq", value: "[1]" }, { a: [1] })).toBe(false);
    expect(sqlMatches({ not: { field: "a", op: "eq", value: 1 } }, {})).toBe(true);
  });

  it("uses the index of a declared field, for numbers, texts, ranges and lists", () => {
    prepareSchema(db); // with every other index that the planner could prefer
    new CollectionRows(db).create(
      { name: "c", space: "s", dimensions: 4, fields: ["place.country"] },
      "now",
    );
    const filters: Filter[] = [
      { field: "place.country", op: "eq", value: "NO" },
      { field: "place.country", op: "eq", value: true },
      { field: "place.country", op: "gte", value: 5 },
      { field: "place.country", op: "in", value: ["NO", 4] },
      {
        and: [
          { field: "place.country", op: "lt", value: 9 },
          { field: "place.country", op: "gte", value: 5 },
        ],
      },
      {
        and: [
          { not: { field: "b", op: "eq", value: 1 } },
          { field: "place.country", op: "lt", value: "NO" },
        ],
      },
    ];
    for (const one of filters) {
      const { sql, values } = filterSql(one);
      const plan = db
        .prepare(
          `EXPLAIN QUERY PLAN SELECT row FROM items WHERE collection = 1 AND ${sql} LIMIT 100`,
        )
        .all(...values);
      expect(plan.map(({ detail }) => detail).join("; ")).toContain("item_field_1_0");
    }
  });
});

describe("an item nested deeper than SQLite reads", () => {
  it("matches no filter, and others are found beside it", () => {
    const items = openDatabase(":memory:");
    items.exec("CREATE TABLE items (row INTEGER PRIMARY KEY, metadata TEXT)");
    const add = items.prepare("INSERT INTO items (metadata) VALUES (?)");
    const nested = `${"[".repeat(2000)}1${"]".repeat(2000)}`;
    for (const n of [1, 2, 3]) {
      add.run(`{"n":${n},"tags":["a"],"deep":${nested}}`);
      add.run(`{"n":${n},"tags":["a"]}`);
    }
    const one: Filter = { field: "n", op: "gte", value: 2 };
    const two: Filter = { field: "tags", op: "contains", value: "a" };
    const rows = (filter: Filter) => {
      const { sql, values } = filterSql(filter);
      const found = items.prepare(`SELECT row FROM items WHERE row > 0 AND ${sql} ORDER BY row`);
      return found.all(...values).map(({ row }) => row);
    };
    expect(rows(one)).toEqual([4, 6]);
    expect(rows({ not: one })).toEqual([2]);
    expect(rows({ and: [two, one] })).toEqual([4, 6]);
    expect(rows({ or: [one, two] })).toEqual([2, 4, 6]);
    expect(rows({ field: "n", op: "in", value: [1, 2] })).toEqual([2, 4]);
    expect(rows({ field: "missing", op: "exists", value: false })).toEqual([2, 4, 6]);
    items.close();
  });
});

describe("checkFilter", () => {
  it("refuses paths that could leave their quotes, and names the part at fault", () => {
    for (const path of ["", "a..b", "a'b", 'a"b', "a\\b", "a\nb", "\0", "x\"]') OR 1 --", 5]) {
      const bad = { or: [{ field: path, op: "exists", value: true }] };
      expect(() => checkFilter(bad)).toThrow(
        expect.objectContaining({ code: "invalid_input", param: "filter.or[0].field" }),
      );
    }
  });

  it("refuses filters that are too deep or too large", () => {
    let deep: unknown = { and: [] };
    for (let i = 0; i < 40; i++) deep = { not: deep };
    expect(() => checkFilter(deep)).toThrow(/32 levels/);
    expect(() => checkFilter({ and: Array.from({ length: 300 }, () => ({ or: [] })) })).toThrow(
      /256 conditions/,
    );
    const widest = {
      and: Array.from({ length: 250 }, (_, i) => ({ field: `f${i}`, op: "contains", value: "x" })),
    };
    expect(sqlMatches(widest as Filter, {})).toBe(false);
  });
});
