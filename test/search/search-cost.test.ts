import { describe, expect, it } from "vitest";
import { costOfQuery } from "../../src/search/search-cost.js";

const condition = { field: "a", op: "eq", value: 1 };

describe("costOfQuery", () => {
  it("is about one for the usual, and grows with neighbours, conditions and values", () => {
    expect(costOfQuery({ topK: 10 }).inputs).toBeCloseTo(1 + 10 / 256, 9);
    expect(costOfQuery({ topK: 10_000 }).inputs).toBeCloseTo(1 + 10_000 / 256, 9);
    const or = Array.from({ length: 255 }, () => condition);
    expect(costOfQuery({ topK: 1, filter: { or } }).inputs).toBeCloseTo(1 + 1 / 256 + 32, 9);
    const values = { field: "a", op: "in", value: Array.from({ length: 10_000 }, (_, i) => i) };
    const cost = 1 + 1 / 256 + 2 / 8 + 10;
    expect(costOfQuery({ topK: 1, filter: { not: values } }).inputs).toBeCloseTo(cost, 9);
  });

  it("takes whatever comes for a filter", () => {
    let deep: unknown = condition;
    for (let i = 0; i < 100_000; i++) deep = { not: deep };
    for (const filter of [null, 1, "x", [], { and: 1, or: null }, deep]) {
      const { inputs } = costOfQuery({ topK: Number.NaN, filter });
      expect(inputs).toBeLessThan(100); // NaN is not
    }
  });
});
