import { expect, it } from "vitest";
import { CollectionRows } from "../../../src/index/embedded/collection-rows.js";
import { itemOf } from "../../../src/index/embedded/item-of-row.js";
import { ItemRows } from "../../../src/index/embedded/item-rows.js";
import { MediaRows } from "../../../src/index/embedded/media-rows.js";
import { prepareSchema } from "../../../src/index/embedded/schema.js";
import { openDatabase } from "../../../src/index/embedded/sqlite.js";

it("brings a database of version 2 up to date, and its items are as they were", () => {
  const db = openDatabase(":memory:");
  expect(prepareSchema(db)).toBe(true);
  db.exec(`
    ALTER TABLE items DROP COLUMN text;
    ALTER TABLE items DROP COLUMN added_at;
    DROP TABLE aliases;
    DROP TABLE media;
    PRAGMA user_version = 2;
    INSERT INTO collections (name, space, dimensions, fields, options, created_at)
      VALUES ('c', 's', 2, '[]', '{}', 'now');
    INSERT INTO items (collection, id, modality, metadata) VALUES (1, 'old', 1, '{"n":1}');
    INSERT INTO vectors (row, embedding) VALUES (1, x'0000803f00000000');
  `);
  expect(prepareSchema(db)).toBe(false);
  expect(prepareSchema(db)).toBe(false);
  const rows = new ItemRows(db);
  const item = { id: "old", modality: "image", embedding: Float32Array.of(1, 0) };
  expect(rows.byRows([1]).map(itemOf)).toEqual([{ ...item, metadata: { n: 1 } }]);
  const recent = { item: "added_at", op: "gte", value: "1970-01-01T00:00:00.000Z" } as const;
  expect(rows.rowsOfFilter(1, recent)).toEqual([]);
  expect(rows.rowsOfFilter(1, { not: recent })).toEqual([1]);
  new CollectionRows(db).setAlias("a", "c");
  db.close();
});

it("brings a database of version 3 up to date", () => {
  const db = openDatabase(":memory:");
  prepareSchema(db);
  db.exec("DROP TABLE media; PRAGMA user_version = 3");
  expect(prepareSchema(db)).toBe(false);
  expect(db.prepare("PRAGMA user_version").get()).toEqual({ user_version: 4 });
  expect(new MediaRows(db).inUse(["a"])).toEqual([]);
  db.close();
});
