import { describe, expect, it } from "vitest";
import { seededRandom } from "../../src/math/random.js";
import { rowsOf } from "../../src/math/rows.js";
import { labelScorer } from "../../src/zero-shot/classifier.js";
import { neutralTexts } from "../../src/zero-shot/neutral-texts.js";
import { backgroundOdds, logitsOf, type Odds, oddsOf } from "../../src/zero-shot/reference.js";
import { fakeEncoder } from "../helpers/fake-encoder.js";

/** One number an input: its only logit, against a neutral share of 1. */
const measure = ([x]: Float32Array): Odds => oddsOf(Float64Array.of(x), [0]);
const backgroundOf = (values: number[]) => rowsOf(values.map((x) => [x]));

describe("oddsOf", () => {
  it("is ln of the labels' share of one softmax to that of the neutral texts", () => {
    const { all, neutral } = oddsOf(Float64Array.of(Math.log(1), Math.log(2)), [0, 0, 0, 0]);
    expect(neutral).toBeCloseTo(Math.log(4), 12);
    expect(all).toBeCloseTo(Math.log(3 / 4), 12);
  });

  it("takes cosines as logits", () => {
    const rows = rowsOf([
      [1, 0],
      [0, 1],
    ]);
    expect([...logitsOf(rows, Float32Array.of(0.5, 0.25), 8)]).toEqual([4, 2]);
  });
});

describe("backgroundOdds", () => {
  it("counts background at least as familiar, ties against the input and itself included", async () => {
    const odds = await backgroundOdds({ background: backgroundOf([1, 2, 3, 3]) }, ["a"], measure);
    const verdictOf = (x: number) => odds.verdict(measure(Float32Array.of(x)), 0.2);
    expect(verdictOf(4)).toEqual({ odds: 4, pValue: 1 / 5, known: true });
    expect(verdictOf(3)).toMatchObject({ pValue: 3 / 5, known: false });
    expect(verdictOf(2.5)).toMatchObject({ pValue: 3 / 5, known: false });
    expect(verdictOf(0)).toMatchObject({ pValue: 1, known: false });
  });

  it("has a threshold for each label that says the same as its p-value", async () => {
    const values = Array.from({ length: 99 }, (_, i) => i + 1);
    const odds = await backgroundOdds({ background: backgroundOf(values) }, ["a"], measure);
    expect([...odds.thresholds(0.05)]).toEqual([95]); // 96 to 99, and the input: 5 of 100
    expect(odds.verdict(measure(Float32Array.of(95.5)), 0.05).known).toBe(true);
    expect(odds.verdict(measure(Float32Array.of(95)), 0.05).known).toBe(false);
    expect([...odds.thresholds(0.009)]).toEqual([Number.POSITIVE_INFINITY]);
  });

  it("leaves out background that has an offered label", async () => {
    const background = backgroundOf([1, 9, 9]);
    const backgroundLabels = ["x", "a", undefined];
    const odds = await backgroundOdds({ background, backgroundLabels }, ["a"], measure);
    expect(odds.count).toBe(2);
    expect(odds.verdict(measure(Float32Array.of(5)), 0.5).pValue).toBe(2 / 3);
  });

  it("lets the asked share of unknown inputs pass, whatever they look like", async () => {
    const random = seededRandom(5);
    const draw = () => random.normal() ** 3; // of no particular shape
    let passed = 0;
    const runs = 200;
    for (let run = 0; run < runs; run++) {
      const background = backgroundOf(Array.from({ length: 99 }, draw));
      const odds = await backgroundOdds({ background }, ["a"], measure);
      for (let i = 0; i < 20; i++)
        if (odds.verdict(measure(Float32Array.of(draw())), 0.1).known) passed++;
    }
    // Exactly .1 in the mean; 3 standard errors of the 200 runs, each at most 20 alike
    expect(Math.abs(passed / (runs * 20) - 0.1)).toBeLessThan(3 * Math.sqrt(0.09 / runs));
  });
});

describe("labelScorer with a reference", () => {
  const pack = {
    textEncoder: fakeEncoder(),
    logitScale: 10,
    logitBias: 0,
    activation: "softmax",
  } as const;

  it("answers null where no label is familiar enough, also where threshold hides them all", async () => {
    // The fake encoder turns n characters into the angle n / 10
    const encoder = fakeEncoder();
    const [near, far, other] = await encoder.encode(["ab", "a".repeat(15), "a".repeat(30)]);
    const background = rowsOf(
      await encoder.encode(Array.from({ length: 19 }, (_, i) => "a".repeat(12 + i))),
    );
    const reference = { neutral: rowsOf([other]), neutralTexts: ["other"], background };
    const options = { templates: ["{}"], reference, falseAlarmRate: 0.05, threshold: 1 };
    const score = await labelScorer(pack, ["abc", "abcd"], options);
    expect(score(near)).toMatchObject({
      scores: [],
      verdict: { known: true, pValue: 1 / 20, label: "abc", background: 19 },
    });
    expect(score(far).verdict).toMatchObject({ known: false, label: null });
  });

  it("gives probabilities where a calibration has fitted them", async () => {
    const encoder = fakeEncoder();
    const [neutral, input] = await encoder.encode(["a".repeat(20), "abcde"]);
    const reference = {
      neutral: rowsOf([neutral]),
      neutralTexts: ["x"],
      background: rowsOf([neutral]),
      logistic: { slope: 0.5, offset: -1 },
    };
    const options = { templates: ["{}"], multiLabel: true, reference };
    const { scores } = (await labelScorer(pack, ["abcd"], options))(input);
    const odds = 10 * (Math.cos(0.1) - Math.cos(1.5));
    expect(scores[0].score).toBeCloseTo(1 / (1 + Math.exp(-(0.5 * odds - 1))), 5);
  });
});

describe("neutralTexts", () => {
  it.each(["image", "audio"] as const)("has some hundred different names for %s", (modality) => {
    const texts = neutralTexts[modality];
    expect(texts.length).toBeGreaterThan(300);
    expect(new Set(texts).size).toBe(texts.length);
    expect(texts.every((text) => text.trim() === text && text !== "")).toBe(true);
  });
});
