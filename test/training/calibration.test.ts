import { describe, expect, it } from "vitest";
import { seededRandom } from "../../src/math/random.js";
import { rowsOf } from "../../src/math/rows.js";
import { sigmoid } from "../../src/math/softmax.js";
import { normalize } from "../../src/math/vector.js";
import { fitCalibration } from "../../src/training/calibration.js";
import { fitLogistic } from "../../src/training/fit-logistic.js";

describe("fitLogistic", () => {
  it("finds the curve that hits were drawn from", () => {
    const random = seededRandom(1);
    const odds = Float64Array.from({ length: 40_000 }, () => 4 * random.normal() - 3);
    const hits = Uint8Array.from(odds, (x) => +(random.uniform() < sigmoid(0.8 * x + 1)));
    const { slope, offset } = fitLogistic(odds, hits);
    // Standard errors are .01 and .03
    expect(Math.abs(slope - 0.8)).toBeLessThan(0.04);
    expect(Math.abs(offset - 1)).toBeLessThan(0.12);
  });

  it("leaves no slope of the log-loss, and the mean probability is the share of hits", () => {
    const odds = Float64Array.of(-3, -1, 0, 2, 5, 1);
    const hits = Uint8Array.of(0, 0, 1, 1, 1, 0);
    const { slope, offset } = fitLogistic(odds, hits);
    const errors = Array.from(odds, (x, i) => sigmoid(slope * x + offset) - hits[i]);
    expect(errors.reduce((sum, e) => sum + e, 0)).toBeCloseTo(0, 6);
    const pull = 1e-3 * (slope - 1);
    expect(errors.reduce((sum, e, i) => sum + (e * odds[i]) / 6, 0) + pull).toBeCloseTo(0, 6);
  });

  it("stays finite where hits and misses lie apart, and where there is no hit", () => {
    const apart = fitLogistic(Float64Array.of(-2, -1, 1, 2), Uint8Array.of(0, 0, 1, 1));
    expect(apart.slope).toBeGreaterThan(1);
    expect(Number.isFinite(apart.slope + apart.offset)).toBe(true);
    const none = fitLogistic(Float64Array.of(1, 2, 3), Uint8Array.of(0, 0, 0));
    expect(Number.isFinite(none.slope + none.offset)).toBe(true);
    expect(sigmoid(none.slope * 2 + none.offset)).toBeLessThan(0.1);
  });
});

describe("fitCalibration", () => {
  const dimensions = 32;
  const random = seededRandom(2);
  const vector = () => normalize(Float64Array.from({ length: dimensions }, () => random.normal()));
  const near = (center: Float32Array, noise: number) =>
    normalize(center.map((x) => x + noise * random.normal()));
  const material = (count: number, each: number) => {
    const texts = Array.from({ length: count }, vector);
    const classes = Int32Array.from({ length: count * each }, (_, i) => i % count);
    return {
      items: rowsOf(Array.from(classes, (c) => near(texts[c], 0.25))),
      classes,
      texts: rowsOf(texts),
      neutral: rowsOf(Array.from({ length: 100 }, vector)),
      logitScale: 10,
    };
  };

  it("lets about the asked share of new classes pass, and its probabilities are calibrated", () => {
    const { report, logistic } = fitCalibration(material(60, 30));
    expect(logistic.slope).toBeGreaterThan(0);
    expect(report!.auroc.value).toBeGreaterThan(0.8);
    for (const { asked, realised } of report!.false_alarms)
      expect(Math.abs(realised.value - asked)).toBeLessThan(0.02);
    expect(report!.multi_label.ece.value).toBeLessThan(0.02);
  });

  it("has no report with too few classes to hold some out", () => {
    expect(fitCalibration(material(4, 10)).report).toBeNull();
  });
});
