import { describe, expect, it } from "vitest";
import { EmbeddingCache, withCache } from "../../src/encoders/with-cache.js";
import { classEmbeddings } from "../../src/zero-shot/class-embeddings.js";
import { classify, type ZeroShotPack } from "../../src/zero-shot/classifier.js";
import { chooseTemplates } from "../../src/zero-shot/prompts.js";
import { fakeEncoder } from "../helpers/fake-encoder.js";

/**
 * The fake encoder turns a text of n characters into the angle n / 10: the cosine of two texts is
 * cos of their difference.
 */
const pack = (changes: Partial<ZeroShotPack<"text">> = {}): ZeroShotPack<"text"> => {
  const encoder = fakeEncoder();
  return {
    encoder,
    textEncoder: encoder,
    logitScale: 10,
    logitBias: 0,
    activation: "softmax",
    ...changes,
  };
};
const plain = { templates: ["{}"] };

describe("classify", () => {
  it("is the softmax of logitScale times the cosine", async () => {
    const scores = await classify(pack(), "abcd", ["ab", "abcdefgh"], plain);
    const [near, far] = [Math.exp(10 * Math.cos(0.2)), Math.exp(10 * Math.cos(0.4))];
    expect(scores.map(({ label }) => label)).toEqual(["ab", "abcdefgh"]);
    expect(scores[0].score).toBeCloseTo(near / (near + far), 6);
    expect(scores[1].score).toBeCloseTo(far / (near + far), 6);
  });

  it("refuses scores that are not numbers, which JSON would write as null", async () => {
    const overflow = classify(
      pack({ logitScale: Number.POSITIVE_INFINITY }),
      "abcd",
      ["ab"],
      plain,
    );
    await expect(overflow).rejects.toMatchObject({ code: "inference_failed" });
  });

  it("is sigmoid(logitScale * cosine + bias) for a sigmoid model", async () => {
    const [score] = await classify(
      pack({ activation: "sigmoid", logitBias: -9 }),
      "abcd",
      ["ab"],
      plain,
    );
    expect(score.score).toBeCloseTo(1 / (1 + Math.exp(-(10 * Math.cos(0.2) - 9))), 6);
  });

  it("sets each label against anything at all with multiLabel", async () => {
    const [score] = await classify(pack(), "abcd", ["ab"], { ...plain, multiLabel: true });
    const neutral = Math.cos(0.1 * ("something".length - 4));
    expect(score.score).toBeCloseTo(1 / (1 + Math.exp(-10 * (Math.cos(0.2) - neutral))), 6);
  });

  it("embeds the labels once for many inputs (common fault 6: again for every clip)", async () => {
    const textEncoder = fakeEncoder();
    const shared = pack({ textEncoder: withCache(textEncoder, new EmbeddingCache(1e6)) });
    for (const clip of ["a", "ab", "abc"]) await classify(shared, clip, ["rain", "dog"], plain);
    expect(textEncoder.batches).toEqual([["rain", "dog"]]);
  });

  it("keeps the best topK and those that reach the threshold", async () => {
    const labels = ["a", "abcdefghij", "abcdefghijklmnopqrst"];
    expect((await classify(pack(), "a", labels, { ...plain, topK: 2 })).length).toBe(2);
    expect((await classify(pack(), "a", labels, { ...plain, threshold: 0.9 })).length).toBe(1);
  });
});

describe("classEmbeddings", () => {
  it("is the mean over the templates, at unit length again", async () => {
    const [vector] = await classEmbeddings(fakeEncoder(), ["ab"], {
      templates: ["{}", "{}cdefgh"],
    });
    // angles 0.2 and 0.8: their mean direction is 0.5
    expect(vector[0]).toBeCloseTo(Math.cos(0.5), 6);
    expect(vector[1]).toBeCloseTo(Math.sin(0.5), 6);
  });
});

describe("chooseTemplates", () => {
  it("prefers the request's templates, then its set, then the pack's, then the modality's", () => {
    expect(chooseTemplates({ templates: ["a {}"] }, ["pack {}"], "image")).toEqual(["a {}"]);
    expect(chooseTemplates({ setName: "label" }, ["pack {}"], "image")).toEqual(["{}"]);
    expect(chooseTemplates({}, ["pack {}"], "image")).toEqual(["pack {}"]);
    expect(chooseTemplates({}, undefined, "audio")).toEqual(["This is a sound of {}."]);
  });

  it.each([
    [{ templates: ["no hole"] }, "has 0"],
    [{ templates: ["{} and {}"] }, "has 2"],
    [{ setName: "best" }, "Unknown template_set"],
    [{ templates: ["{}"], setName: "clip" }, "not both"],
  ])("refuses %j", (choice, message) => {
    expect(() => chooseTemplates(choice, undefined, "image")).toThrow(message);
  });
});
