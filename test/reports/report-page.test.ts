import { describe, expect, it } from "vitest";
import { reportPage } from "../../src/reports/report-page.js";
import type { Measure } from "../../src/training/run-measures.js";
import { type RunReport, verdictOf } from "../../src/training/run-report.js";
import { trainingDefaults } from "../../src/training/training-request.js";

const measure = (
  before: number,
  after: number,
  interval: [number, number],
  says: Measure["says"],
): Measure => ({
  before,
  after,
  change: after - before,
  interval,
  says,
});
const better = measure(0.5, 0.6, [0.04, 0.16], "better");
const report: RunReport = {
  options: trainingDefaults,
  heads: { a: "linear", b: "locked" },
  data: { pairs: 100, train: 70, validation: 10, test: 20, sha256: "abc" },
  epochs: [
    { epoch: 1, trainLoss: 2, validationLoss: 2.1, logitScale: 14, learningRate: 1e-3 },
    { epoch: 2, trainLoss: 1, validationLoss: 1.5, logitScale: 15, learningRate: 1e-4 },
  ],
  bestEpoch: 2,
  stoppedBy: "epochs",
  measures: { mean_reciprocal_rank: better, a_to_b_recall_at_1: better },
  verdict: verdictOf({ measures: { mean_reciprocal_rank: better }, bestEpoch: 2, pairs: 20 }),
};

describe("reportPage", () => {
  it("refers to nothing outside itself and runs no script", () => {
    const page = reportPage(report, "birds");
    expect(page).not.toMatch(/https?:|src=|href=|<script|@import|url\(/);
    expect(page).toContain("a to b recall@1");
    expect(page).toContain("Improved");
  });
  it("lists suspicious pairs by their items' ids, with scores", () => {
    const findings = [{ kind: "mismatched" as const, pairs: [3], ids: ["<b>cat-3"], score: 4.25 }];
    const page = reportPage(
      { ...report, screening: { counts: { mismatched: 1 }, findings, excluded: [3] } },
      "birds",
    );
    expect(page).toContain("1 mismatched; 1 left out.");
    expect(page).toContain("&lt;b&gt;cat-3");
    expect(page).toContain("4.250");
  });

  it("shows text from outside as text", () => {
    const page = reportPage(report, "<img onerror='x'> & co");
    expect(page).toContain("&lt;img onerror=&#39;x&#39;&gt; &amp; co");
    expect(page).not.toContain("<img");
  });
  it("has finite coordinates for a run of one epoch with one loss", () => {
    const page = reportPage(
      { ...report, epochs: [{ epoch: 1, trainLoss: 2, logitScale: 1, learningRate: 1 }] },
      "one",
    );
    expect(page).not.toContain("NaN");
    expect(page).not.toContain("Infinity");
  });
});

describe("verdictOf", () => {
  const run = { bestEpoch: 3, pairs: 20 };
  it("is no improvement over an equally good active version, or on a handful of pairs", () => {
    const measures = { mean_reciprocal_rank: better };
    const unclear = measure(0.5, 0.6, [-0.01, 0.2], "unclear");
    const worse = measure(0.9, 0.5, [-0.5, -0.3], "worse");
    for (const rank of [worse, unclear]) {
      const against = { mean_reciprocal_rank: rank };
      const verdict = verdictOf({ measures, against, activeVersion: 7, ...run });
      expect(verdict).toMatchObject({ improved: false });
      expect(verdict.reason).toContain("version 7, which is active");
    }
    const against = { mean_reciprocal_rank: better };
    expect(verdictOf({ measures, against, activeVersion: 7, ...run }).improved).toBe(true);
    expect(verdictOf({ measures, ...run, pairs: 5 })).toMatchObject({
      improved: false,
      reason: expect.stringContaining("on 5 pairs"),
    });
  });
  it("says improved only when the interval of the mean reciprocal rank lies above zero", () => {
    expect(verdictOf({ measures: { mean_reciprocal_rank: better }, ...run }).improved).toBe(true);
    const unclear = measure(0.5, 0.6, [-0.01, 0.2], "unclear");
    expect(verdictOf({ measures: { mean_reciprocal_rank: unclear }, ...run })).toMatchObject({
      improved: false,
      reason:
        "No improvement on held-out pairs: mean reciprocal rank 0.500 -> 0.600, 95 % interval " +
        "of the change -0.010 to 0.200, on 20 pairs.",
    });
  });
  it("says that a head forgets when the probe set got worse", () => {
    const worse = measure(0.9, 0.5, [-0.5, -0.3], "worse");
    expect(
      verdictOf({
        measures: { mean_reciprocal_rank: better },
        forgetting: { mean_reciprocal_rank: worse },
        ...run,
      }).forgets,
    ).toBe(true);
  });
});
