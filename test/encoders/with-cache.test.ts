import { describe, expect, it } from "vitest";
import { EmbeddingCache, withCache } from "../../src/encoders/with-cache.js";
import { fakeEncoder } from "../helpers/fake-encoder.js";

describe("withCache", () => {
  it("asks the encoder only for what it has not seen", async () => {
    const inner = fakeEncoder();
    const encoder = withCache(inner, new EmbeddingCache(10_000));
    const first = await encoder.encode(["x", "xx"]);
    const second = await encoder.encode(["xx", "xxx", "x"]);
    expect(inner.batches).toEqual([["x", "xx"], ["xxx"]]);
    expect([second[2], second[0]]).toEqual(first);
  });

  it("forgets the least recently used first", async () => {
    const inner = fakeEncoder();
    const entryBytes = 8 + 2 * `fake@1/text/${"x".repeat(44)}`.length;
    const encoder = withCache(inner, new EmbeddingCache(2 * entryBytes));
    await encoder.encode(["x"]);
    await encoder.encode(["xx"]);
    await encoder.encode(["x"]);
    await encoder.encode(["xxx"]); // pushes "xx" out
    await encoder.encode(["x"]);
    await encoder.encode(["xx"]);
    expect(inner.batches).toEqual([["x"], ["xx"], ["xxx"], ["xx"]]);
  });

  it("does not remember a text of more than a megabyte, whose hash would hold up others", async () => {
    const inner = fakeEncoder();
    const encoder = withCache(inner, new EmbeddingCache(10_000));
    const [long, short] = ["x".repeat(2 ** 20 + 1), "x".repeat(2 ** 20)];
    expect(encoder.missing?.([long, short])).toBe(2);
    for (let i = 0; i < 2; i++) await encoder.encode([long, short]);
    expect(inner.batches.map((batch) => batch.length)).toEqual([2, 1]);
  });

  it("remembers nothing with a size of zero", async () => {
    const inner = fakeEncoder();
    const encoder = withCache(inner, new EmbeddingCache(0));
    await encoder.encode(["x"]);
    await encoder.encode(["x"]);
    expect(inner.batches.length).toBe(2);
  });
});
