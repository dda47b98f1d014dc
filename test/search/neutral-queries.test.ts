import { describe, expect, it, vi } from "vitest";
import type { CollectionStats } from "../../src/index/vector-store.js";
import { NeutralQueries } from "../../src/search/neutral-queries.js";
import { fakeEncoder } from "../helpers/fake-encoder.js";

const stats = (count: number) =>
  ({
    name: "c",
    space: "s",
    createdAt: "",
    count,
    countByModality: { image: count },
  }) as CollectionStats;
const path = { encoder: fakeEncoder(), projections: [], steps: ["fake/text"] };

/** The n-th neutral query reaches n / 128. */
function fakeStore() {
  const asked: object[] = [];
  const search = async (_: string, queries: readonly object[]) => {
    asked.push(queries[0]);
    return queries.map((_, i) => ({
      plan: "exact" as const,
      neighbors: [{ id: "x", similarity: i / 128, modality: "image" as const, metadata: {} }],
    }));
  };
  return { asked, store: { search } };
}

describe("NeutralQueries", () => {
  it("is the share of neutral queries whose best item is less similar", async () => {
    const { store } = fakeStore();
    const relevance = await new NeutralQueries().relevance(store, stats(3), { path, settings: {} });
    expect(relevance.of(-1)).toBe(0);
    expect(relevance.of(0)).toBe(0);
    expect(relevance.of(0.5)).toBe(64 / 128);
    expect(relevance.of(1)).toBe(1);
  });

  it("asks once for a collection and settings, and again when items came or went", async () => {
    const { store, asked } = fakeStore();
    const neutral = new NeutralQueries();
    const filter = { field: "year", op: "eq", value: 1 } as const;
    await neutral.relevance(store, stats(3), { path, settings: {} });
    await neutral.relevance(store, stats(3), { path, settings: {} });
    expect(asked).toHaveLength(1);
    await neutral.relevance(store, stats(3), { path, settings: { filter } });
    await neutral.relevance(store, stats(4), { path, settings: {} });
    expect(asked).toHaveLength(3);
    expect(asked[1]).toMatchObject({ filter, topK: 1 });
  });

  it("asks again after a failure", async () => {
    const neutral = new NeutralQueries();
    const failing = { search: () => Promise.reject(new Error("gone")) };
    await expect(neutral.relevance(failing, stats(3), { path, settings: {} })).rejects.toThrow(
      "gone",
    );
    const { store } = fakeStore();
    const relevance = await neutral.relevance(store, stats(3), { path, settings: {} });
    expect(relevance.of(2)).toBe(1);
  });

  it("embeds the neutral texts once for all filters", async () => {
    const encoder = fakeEncoder();
    const encode = vi.spyOn(encoder, "encode");
    const { store } = fakeStore();
    const neutral = new NeutralQueries();
    const filtered = { path: { ...path, encoder }, settings: { modality: "image" as const } };
    await neutral.relevance(store, stats(3), { path: { ...path, encoder }, settings: {} });
    await neutral.relevance(store, stats(3), filtered);
    expect(encode).toHaveBeenCalledTimes(1);
  });
});
