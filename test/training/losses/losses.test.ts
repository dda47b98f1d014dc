import { describe, expect, it } from "vitest";
import { type Matrix, matrixOf, zeros } from "../../../src/math/matrix.js";
import { expertFeatureLoss } from "../../../src/training/losses/expert-features.js";
import { debiased, hardNegative } from "../../../src/training/losses/hard-negative.js";
import {
  infoNce,
  pairwiseSigmoid,
  symmetricCrossEntropy,
  threeTowers,
} from "../../../src/training/losses/info-nce.js";
import {
  type LossExtras,
  type LossName,
  lossNames,
  lossOf,
} from "../../../src/training/losses/loss.js";
import { nearestNeighborLoss } from "../../../src/training/losses/nearest-neighbor.js";
import { ntXent } from "../../../src/training/losses/supervised-contrastive.js";
import { formulaMatrix, gradientError, randomUnitRows } from "../../helpers/matrices.js";

const identity = (n: number): Matrix => formulaMatrix(n, n, (i, j) => (i === j ? 1 : 0));

describe("symmetricCrossEntropy", () => {
  it("is ln N when every logit is the same", () => {
    expect(symmetricCrossEntropy(formulaMatrix(7, 7, () => 3)).loss).toBeCloseTo(Math.log(7), 12);
  });
  it("is ln(1 + e^-s) for two orthonormal pairs at logit scale s", () => {
    expect(infoNce(identity(2), identity(2), 5).loss).toBeCloseTo(Math.log1p(Math.exp(-5)), 12);
  });
  it("stays finite at CLIP's largest logit scale, 100", () => {
    const a = randomUnitRows(5, 4, 1);
    const b = matrixOf(
      5,
      4,
      a.data.map((x) => -x),
    );
    const { loss, gradA } = infoNce(a, b, 100);
    expect(Number.isFinite(loss)).toBe(true);
    expect(gradA.data.every(Number.isFinite)).toBe(true);
  });
});

describe("pairwiseSigmoid", () => {
  it("is N ln 2 when every logit is 0", () => {
    expect(pairwiseSigmoid(zeros(4, 4)).loss).toBeCloseTo(4 * Math.LN2, 12);
  });
  it("stays finite for logits of a thousand", () => {
    const { loss, gradLogits } = pairwiseSigmoid(
      formulaMatrix(3, 3, (i, j) => (i === j ? -1000 : 1000)),
    );
    expect(loss).toBeCloseTo(3000, 9);
    expect(gradLogits.data.every(Number.isFinite)).toBe(true);
  });
});

describe("hardNegative", () => {
  const a = randomUnitRows(6, 5, 2);
  const b = randomUnitRows(6, 5, 3);
  it("is NT-Xent without prior and without hardness", () => {
    expect(hardNegative(a, b, 2, { positivePrior: 0, hardness: 0 }).loss).toBeCloseTo(
      ntXent(a, b, 2).loss,
      12,
    );
  });
  it("is at its floor, ln(1 + M e^-2t), when all pairs agree and no negative is close", () => {
    // Two pairs in opposite directions: pos = e^t, both negatives e^-t, so R - tau+ M pos < 0 and
    // Ng = M e^-t.
    const pairs = matrixOf(2, 1, [1, -1]);
    expect(debiased(pairs, pairs, 3, 0.5).loss).toBeCloseTo(Math.log1p(2 * Math.exp(-6)), 12);
  });
  it("has the gradient of its floor", () => {
    const pairs = matrixOf(2, 1, [1, -1]);
    const log = Float64Array.of(Math.log(3));
    const value = () => debiased(pairs, pairs, Math.exp(log[0]), 0.5).loss;
    expect(
      gradientError(value, log, [debiased(pairs, pairs, 3, 0.5).gradLogLogitScale]),
    ).toBeLessThan(1e-8);
  });
  it("refuses a prior of 1", () => {
    expect(() => hardNegative(a, b, 2, { positivePrior: 1 })).toThrow(RangeError);
  });
});

describe("nearestNeighborLoss", () => {
  it("is InfoNCE with a one-way gradient when embeddings are their own nearest neighbours", () => {
    const a = randomUnitRows(6, 5, 2);
    const b = randomUnitRows(6, 5, 3);
    expect(nearestNeighborLoss(a, b, a, b, 10).loss).toBeCloseTo(infoNceRows(a, b, 10), 12);
  });
});

/** Mean over rows of -ln softmax, both ways: the slow obvious form. */
function infoNceRows(a: Matrix, b: Matrix, t: number): number {
  const way = (from: Matrix, to: Matrix) => {
    let sum = 0;
    for (let i = 0; i < from.rows; i++) {
      const logit = (j: number) =>
        t * from.data.subarray(i * 5, i * 5 + 5).reduce((s, v, d) => s + v * to.data[j * 5 + d], 0);
      let total = 0;
      for (let j = 0; j < to.rows; j++) total += Math.exp(logit(j));
      sum += Math.log(total) - logit(i);
    }
    return sum / from.rows;
  };
  return (way(a, b) + way(b, a)) / 2;
}

describe("threeTowers", () => {
  it("is InfoNCE when the third tower and both sides are the same", () => {
    const a = randomUnitRows(6, 5, 2);
    expect(threeTowers(a, a, a, 7).loss).toBeCloseTo(infoNce(a, a, 7).loss, 12);
  });
});

describe("expertFeatureLoss", () => {
  it("is 0 without a gradient where all features are alike and say nothing about distances", () => {
    const alike = formulaMatrix(5, 3, (_, d) => d);
    const { loss, grad } = expertFeatureLoss(randomUnitRows(5, 4, 9), alike);
    expect(loss).toBe(0);
    expect(grad.data.every((x) => x === 0)).toBe(true);
  });
});

describe("lossOf", () => {
  const n = 5;
  const a = randomUnitRows(n, 4, 11);
  const b = randomUnitRows(n, 4, 12);
  const extras: LossExtras = {
    labels: [0, 1, 0, 2, 1],
    third: randomUnitRows(n, 4, 13),
    features: randomUnitRows(n, 2, 14),
    supportA: randomUnitRows(9, 4, 15),
    supportB: randomUnitRows(9, 4, 16),
  };
  // Measured: at most 9.2e-10 for logits up to 5, where the losses are a few units.
  it.each(lossNames)("%s has the gradient that central differences give", (name: LossName) => {
    const parameters = Float64Array.of(Math.log(5), -1);
    const value = () =>
      lossOf(name, a, b, { logitScale: Math.exp(parameters[0]), logitBias: parameters[1] }, extras)
        .loss;
    const { gradA, gradB, gradLogLogitScale, gradLogitBias } = lossOf(
      name,
      a,
      b,
      { logitScale: 5, logitBias: -1 },
      extras,
    );
    expect(gradientError(value, a.data, gradA.data)).toBeLessThan(2e-8);
    expect(gradientError(value, b.data, gradB.data)).toBeLessThan(2e-8);
    expect(gradientError(value, parameters, [gradLogLogitScale, gradLogitBias])).toBeLessThan(2e-8);
  });
  it("names what is missing", () => {
    expect(() =>
      lossOf("supervised-contrastive", a, b, { logitScale: 1, logitBias: 0 }, {}),
    ).toThrow("needs labels");
  });
});
