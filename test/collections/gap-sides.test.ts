import { describe, expect, it } from "vitest";
import { gapSides } from "../../src/collections/gap-sides.js";
import type { StoredItem } from "../../src/index/item.js";
import type { VectorStore } from "../../src/index/vector-store.js";

const item = (id: string, modality: "image" | "text", pair?: unknown): StoredItem => ({
  id,
  modality,
  embedding: Float32Array.of(modality === "image" ? 1 : 0, Number(id)),
  metadata: { pair } as StoredItem["metadata"],
});
const items = [
  item("1", "image", true),
  item("2", "image", "two"),
  item("3", "image", 3),
  item("4", "image", false),
  item("5", "image", null),
  item("6", "image", ["six"]),
  item("7", "text", null),
  item("8", "text", ["six"]),
  item("9", "text", 3),
  item("10", "text", false),
  item("11", "text", "two"),
  item("12", "text", true),
];
const store = {
  stats: async () => ({ space: "x", countByModality: { image: 6, text: 6 } }),
  async *scan(_: string, { modality }: { modality: string }) {
    yield* items.filter((one) => one.modality === modality);
  },
} as unknown as VectorStore;

describe("gapSides", () => {
  it("pairs items of equal texts, numbers or booleans, and leaves other values out", async () => {
    const { request, ids } = await gapSides(store, "photos", { pairBy: "pair" });
    const { a, b, paired } = request;
    expect(paired).toBe(true);
    const rowIds = ({ values }: typeof a) => [...values].filter((_, i) => i % 2 === 1);
    expect(rowIds(a)).toEqual([1, 2, 3, 4]);
    expect(rowIds(b)).toEqual([12, 11, 9, 10]);
    expect(ids).toEqual({ a: ["1", "2", "3", "4"], b: ["12", "11", "9", "10"] });
  });
});
