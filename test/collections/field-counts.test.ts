import { describe, expect, it } from "vitest";
import { FieldCounter } from "../../src/collections/field-counts.js";
import type { JsonObject } from "../../src/index/item.js";

function count(...metadata: JsonObject[]) {
  const counter = new FieldCounter();
  for (const one of metadata) counter.add(one);
  return counter;
}

describe("FieldCounter", () => {
  it("counts items, types and values of each field, also of nested ones", () => {
    const { fields, items } = count(
      { year: 2020, place: { country: "PT" }, tags: ["sea", "sea", "sun"] },
      { year: 2020, place: { country: "IT" }, tags: ["sea", 5] },
      { year: -1.5, place: null, old: true },
      {},
    );
    expect(items).toBe(4);
    expect([...fields.keys()].sort()).toEqual(["old", "place", "place.country", "tags", "year"]);
    expect(fields.get("year")).toMatchObject({ count: 3, min: -1.5, max: 2020 });
    expect([...fields.get("year")!.values]).toEqual([
      ["2020", 2],
      ["-1.5", 1],
    ]);
    expect(fields.get("place")?.types).toEqual({ null: 1 });
    // Of an array each element once an item, as a filter with `contains` finds them.
    expect(Object.fromEntries(fields.get("tags")!.values)).toEqual({
      '"sea"': 2,
      '"sun"': 1,
      "5": 1,
    });
    expect(fields.get("tags")).toMatchObject({ types: { array: 2 }, min: 5, max: 5 });
  });

  it("counts no more values, fields and levels than it may, and says so", () => {
    const many = count(...Array.from({ length: 1500 }, (_, n) => ({ n })));
    expect(many.fields.get("n")).toMatchObject({ count: 1500, hasMoreValues: true, max: 1499 });
    expect(many.fields.get("n")?.values.size).toBe(1000);
    const wide = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`f${i}`, i]));
    expect([count(wide).fields.size, count(wide).hasMoreFields]).toEqual([200, true]);
    let deep: JsonObject = { end: 1 };
    for (let i = 0; i < 20; i++) deep = { in: deep };
    expect([count(deep).fields.size, count(deep).hasMoreFields]).toEqual([0, true]);
    expect(count({ text: "x".repeat(300) }).fields.get("text")).toMatchObject({
      count: 1,
      hasMoreValues: true,
    });
  });

  it("leaves out what no filter can name", () => {
    const odd = { "a.b": 1, 'q"': 1, "": 1, "back\\slash": 1, "line\n": 1, ä: 1 };
    expect([...count(odd).fields.keys()]).toEqual(["ä"]);
  });
});
