import { describe, expect, it } from "vitest";
import { z } from "zod";
import { listOf } from "../../src/wire/field-types.js";
import { parseBody } from "../../src/wire/parse-with.js";

describe("listOf", () => {
  const Nested = listOf(z.strictObject({ names: listOf(z.string(), { max: 2000 }) }));
  const entry = (length: number) => ({ names: Array<string>(length).fill("x") });

  it.each([
    ["a long list in a short one", 1, 1000],
    ["long lists in a long one", 1000, 1000],
    ["short lists in a long one", 1000, 1],
  ])("takes %s", async (_, outer, inner) => {
    const value = Array(outer).fill(entry(inner));
    expect(await parseBody(Nested, value)).toEqual(value);
  });

  it("names the first wrong entry of a long list in a list", async () => {
    const value = [entry(1), { names: [...entry(700).names, 7] }];
    await expect(parseBody(Nested, value)).rejects.toMatchObject({ param: "[1].names[700]" });
    await expect(parseBody(Nested, [entry(2001)])).rejects.toMatchObject({ param: "[0].names" });
  });
});
