import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { compare, evaluate, type ScoredItem } from "../../src/evaluation/evaluate.js";
import { scoresCsv } from "../../src/evaluation/scores-csv.js";
import { seededRandom } from "../../src/math/random.js";
import { ranks, recallAtK } from "../../src/training/recall.js";

const item = (id: string, label: number | undefined, ...scores: number[]): ScoredItem => ({
  id,
  label,
  scores,
});
const mean = (values: number[]) => values.reduce((sum, x) => sum + x, 0) / values.length;

describe("evaluate", () => {
  it("has scikit-learn's figures", () => {
    const path = new URL("sklearn-figures.json", import.meta.url);
    const oracle = JSON.parse(readFileSync(path, "utf8"));
    const items = oracle.scores.map((scores: number[], i: number) =>
      item(String(i), oracle.labels[i] ?? undefined, ...scores),
    );
    const found = evaluate(["a", "b", "c", "d", "e"], items, { draws: 50 });
    expect(found.items).toEqual({ known: 60, unknown: 25, groups: 85 });
    expect(found.accuracy.value).toBeCloseTo(oracle.accuracy, 12);
    expect(found.confusion).toEqual(oracle.confusion);
    for (const [i, one] of found.per_class.entries()) {
      expect(one.support).toBe(oracle.support[i]);
      for (const name of ["precision", "recall", "f1"] as const)
        expect(one[name]).toBeCloseTo(oracle[name][i], 12);
    }
    expect(found.macro.precision.value).toBeCloseTo(mean(oracle.precision), 12);
    expect(found.macro.f1.value).toBeCloseTo(mean(oracle.f1), 12);
    expect(found.calibration.ece.value).toBeCloseTo(oracle.ece, 9);
    expect(found.known_unknown?.auroc.value).toBeCloseTo(oracle.auroc, 12);
    const { item_to_label: retrieval } = found.retrieval;
    expect(retrieval.at_1).toBeCloseTo(oracle.accuracy, 12);
    expect(retrieval.mean_reciprocal_rank).toBeCloseTo(oracle.mean_reciprocal_rank, 9);
    const known = items.slice(0, 60) as ScoredItem[];
    const all = ranks(Float32Array.from(known.flatMap(({ scores }) => scores)), 60, (i, j) => {
      return known[i].label === j;
    });
    expect(recallAtK(all, 3)).toBeCloseTo(oracle.top_3, 12);
  });

  it("finds a label's first item, and skips labels without items", () => {
    const items = [
      item("1", 0, 0.9, 0.1, 0),
      item("2", 1, 0.2, 0.3, 0.5),
      item("3", 0, 0.1, 0.6, 0.3),
    ];
    const { label_to_item: retrieval } = evaluate(["a", "b", "c"], items).retrieval;
    // a: item 1 comes first; b: item 3 before item 2; c: no item
    expect(retrieval).toMatchObject({ at_1: 0.5, at_5: 1, mean_reciprocal_rank: 0.75 });
  });

  it("says what passed for known, where it was asked", () => {
    const items = [
      { ...item("1", 0, 0.6, 0.4), known: true, familiarity: 3 },
      { ...item("2", 1, 0.6, 0.4), known: false, familiarity: 0 },
      { ...item("3", undefined, 0.9, 0.1), known: true, familiarity: 1 },
      { ...item("4", undefined, 0.9, 0.1), known: false, familiarity: -1 },
    ];
    const { known_unknown: both } = evaluate(["a", "b"], items);
    expect(both?.auroc.value).toBe(0.75);
    expect(both?.false_alarms?.value).toBe(0.5);
    expect(both?.accepted?.value).toBe(0.5);
  });

  it("draws whole groups: clips of one recording make an interval no narrower", () => {
    const random = seededRandom(3);
    const recordings = Array.from({ length: 20 }, () => random.uniform() < 0.7);
    const clips = recordings.flatMap((isRight, r) =>
      Array.from({ length: 25 }, (_, k) => item(`${r}-${k}`, isRight ? 0 : 1, 0.8, 0.2)),
    );
    const grouped = clips.map((clip) => ({ ...clip, group: clip.id.split("-")[0] }));
    const width = (items: ScoredItem[]) => {
      const { interval } = evaluate(["a", "b"], items).accuracy;
      return interval[1] - interval[0];
    };
    expect(width(grouped)).toBeGreaterThan(3 * width(clips));
    expect(evaluate(["a", "b"], grouped).items.groups).toBe(20);
  });

  it("covers the true accuracy about as often as it says", () => {
    const random = seededRandom(9);
    let covered = 0;
    for (let run = 0; run < 60; run++) {
      const items = Array.from({ length: 100 }, (_, i) =>
        item(String(i), random.uniform() < 0.8 ? 0 : 1, 0.9, 0.1),
      );
      const [low, high] = evaluate(["a", "b"], items, { draws: 200, seed: run }).accuracy.interval;
      if (low <= 0.8 && 0.8 <= high) covered++;
    }
    expect(covered / 60).toBeGreaterThan(0.88);
  });
});

describe("intervals", () => {
  const items = (isRight: boolean) =>
    Array.from({ length: 10 }, (_, i) => item(String(i), isRight ? 0 : 1, 0.9, 0.1));

  it("are Wilson's where every item is right, or none: draws of them are all alike", () => {
    // statsmodels' proportion_confint(10, 10, method="wilson"): (0.72247, 1)
    const all = evaluate(["a", "b"], items(true));
    expect(all.accuracy.interval[0]).toBeCloseTo(0.72247, 4);
    expect(all.accuracy.interval[1]).toBe(1);
    const none = evaluate(["a", "b"], items(false)).accuracy.interval;
    expect(none[0]).toBe(0);
    expect(none[1]).toBeCloseTo(0.27753, 4);
    const grouped = items(true).map((one, i) => ({ ...one, group: String(i % 2) }));
    expect(evaluate(["a", "b"], grouped).accuracy.interval[0]).toBeCloseTo(0.34237, 4);
  });

  it("say of two that never differ how much they might", () => {
    const { difference } = compare(items(true), items(true)).accuracy;
    expect(difference.value).toBe(0);
    expect(difference.interval[0]).toBeCloseTo(-0.27753, 4);
    expect(difference.interval[1]).toBeCloseTo(0.27753, 4);
  });
});

describe("compare", () => {
  it("is paired, item by item", () => {
    const truth = Array.from({ length: 30 }, (_, i) => i % 2);
    const answers = (wrong: number[]) =>
      truth.map((label, i) => {
        const right = label === 0 ? [0.9, 0.1] : [0.1, 0.9];
        return item(String(i), label, ...(wrong.includes(i) ? right.reverse() : right));
      });
    const found = compare(answers([0, 1, 2, 3, 4, 5]), answers([5, 6]));
    expect(found).toMatchObject({ only_first: 1, only_second: 5 });
    expect(found.accuracy.difference.value).toBeCloseTo(4 / 30, 12);
    // Two-sided: 2 (C(6,0) + C(6,1)) / 2^6
    expect(found.p_value).toBeCloseTo((2 * 7) / 64, 12);
    expect(compare(answers([1]), answers([1])).p_value).toBe(1);
  });

  it("wants the same items", () => {
    expect(() => compare([item("1", 0, 1)], [item("2", 0, 1)])).toThrow(RangeError);
  });
});

describe("scoresCsv", () => {
  it("quotes what holds commas, quotes or line ends", () => {
    const items = [{ ...item('a,"b"', 1, 0.25, 0.75), group: "g" }, item("c", undefined, 1, 0)];
    expect(scoresCsv(["cat, black", "dog"], items)).toBe(
      'id,label,group,known,familiarity,"cat, black",dog\n' +
        '"a,""b""",dog,g,,,0.25,0.75\n' +
        "c,,,,,1,0\n",
    );
  });
});
