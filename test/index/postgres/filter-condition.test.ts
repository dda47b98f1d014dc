import fc from "fast-check";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { checkFilter, type Filter } from "../../../src/index/filter.js";
import type { JsonObject } from "../../../src/index/item.js";
import { matchFilter } from "../../../src/index/match-filter.js";
import { binding } from "../../../src/index/postgres/bind.js";
import {
  filterCondition,
  indexedExpression,
} from "../../../src/index/postgres/filter-condition.js";
import { hasPostgres, onPostgres, TestPostgres } from "../../helpers/postgres.js";
import { filter, metadata } from "../random-filters.js";

describe.skipIf(!hasPostgres(18))(onPostgres("filterCondition"), () => {
  let server: TestPostgres;
  let db: pg.Client;
  beforeAll(async () => {
    server = await TestPostgres.start();
    db = new pg.Client({ connectionString: server.url() });
    await db.connect();
  });
  afterAll(async () => {
    await db?.end();
    await server?.dispose();
  });

  const sqlMatches = async (some: Filter, of: JsonObject): Promise<boolean> => {
    const { values, bind } = binding();
    const row = `${bind(JSON.stringify(of))}::text::jsonb`;
    const condition = filterCondition(checkFilter(some), bind);
    const text = `select from (select ${row} as metadata) items where ${condition}`;
    return (await db.query(text, values)).rowCount === 1;
  };

  it("means in SQL what matchFilter means in memory, for any filter and metadata", async () => {
    const both = fc.asyncProperty(filter, metadata, async (some, of) => {
      expect(await sqlMatches(some, of)).toBe(matchFilter(some, of));
    });
    await fc.assert(both, { numRuns: 2000 });
  });

  it("finds long texts, lists and objects beside what an index holds", async () => {
    const long = "é".repeat(5000);
    expect(await sqlMatches({ field: "a", op: "eq", value: long }, { a: long })).toBe(true);
    expect(await sqlMatches({ field: "a", op: "in", value: ["x", long] }, { a: long })).toBe(true);
    expect(await sqlMatches({ field: "a", op: "gte", value: "é" }, { a: long })).toBe(true);
    expect(await sqlMatches({ field: "a", op: "eq", value: null }, { a: null })).toBe(true);
    expect(await sqlMatches({ field: "a", op: "in", value: [null] }, { a: null })).toBe(true);
    expect(await sqlMatches({ field: "a", op: "eq", value: null }, {})).toBe(false);
  });

  it("uses the index of a declared field, and lets in values of any size and kind", async () => {
    await db.query("create table items (seq bigint primary key, metadata jsonb not null)");
    const key = indexedExpression("place.country");
    await db.query(`create index by_country on items (${key}) where ${key} is not null`);
    const values = [1, "NO", true, null, "x".repeat(100_000), Array(5000).fill(1), { a: [{}] }];
    for (const [i, country] of values.entries()) {
      const row = [i, JSON.stringify({ place: { country } })];
      await db.query("insert into items values ($1, $2)", row);
    }
    await db.query("insert into items select i, '{}' from generate_series(100, 5000) i");
    await db.query("analyze items");
    const filters: Filter[] = [
      { field: "place.country", op: "eq", value: "NO" },
      { field: "place.country", op: "eq", value: true },
      { field: "place.country", op: "gte", value: 1 },
      { field: "place.country", op: "in", value: ["NO", 4] },
    ];
    for (const one of filters) {
      const { values: bound, bind } = binding();
      const text = `select seq from items where ${filterCondition(one, bind)}`;
      const { rows } = await db.query(`explain ${text}`, bound);
      expect(rows.map((row) => row["QUERY PLAN"]).join("\n")).toContain("by_country");
      expect((await db.query(text, bound)).rowCount).toBe(1);
    }
  });
});
