import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { multiplyTransposed } from "../../../src/math/matrix.js";
import { expertFeatureLoss } from "../../../src/training/losses/expert-features.js";
import { debiased, hardNegative } from "../../../src/training/losses/hard-negative.js";
import { infoNce, sigmoidLoss } from "../../../src/training/losses/info-nce.js";
import {
  ntXent,
  supervisedContrastive,
} from "../../../src/training/losses/supervised-contrastive.js";
import { formulaMatrix, unitRows } from "../../helpers/matrices.js";

const { golden } = JSON.parse(
  readFileSync(new URL("../../../fixtures/golden/losses.json", import.meta.url), "utf8"),
);

// The inputs of the golden file.
const rawA = formulaMatrix(6, 8, (i, d) => Math.sin(1 + i * 1.7 + d * 0.9));
const rawB = formulaMatrix(
  6,
  8,
  (i, d) => rawA.data[i * 8 + d] + 0.5 * Math.cos(2 + i * 2.3 + d * 1.1),
);
const x = unitRows(rawA);
const y = unitRows(rawB);

describe("losses against the reference values", () => {
  // Measured differences: at most 1.8e-15.
  it.each([
    ["infonce_sym_tau0.07", () => infoNce(x, y, 1 / 0.07).loss],
    ["infonce_sym_tau0.01", () => infoNce(x, y, 100).loss],
    ["ntxent_tau0.5", () => ntXent(x, y, 2).loss],
    ["siglip_t10_b-10", () => sigmoidLoss(x, y, { logitScale: 10, logitBias: -10 }).loss],
    ["debiased_tau0.5_tp0.1", () => debiased(x, y, 2, 0.1).loss],
    [
      "hard_beta1_tau0.5_tp0.1",
      () => hardNegative(x, y, 2, { hardness: 1, positivePrior: 0.1 }).loss,
    ],
    [
      "supcon_tau0.07_labels[0,0,1,1,2,2]",
      () => supervisedContrastive(x, y, [0, 0, 1, 1, 2, 2], 1 / 0.07).loss,
    ],
    [
      "expclr_tau0.5_delta1",
      () =>
        expertFeatureLoss(
          x,
          formulaMatrix(6, 3, (i, d) => rawB.data[i * 8 + d]),
          { temperature: 0.5, margin: 1 },
        ).loss,
    ],
  ])("%s", (name, value) => {
    expect(Math.abs(value() - golden[name])).toBeLessThan(1e-12);
  });

  it("d InfoNCE / dA through the normalisation of the rows", () => {
    const { gradA } = infoNce(x, y, 1 / 0.07);
    // The diagonal holds the part along each row, which has no effect
    const along = multiplyTransposed(gradA, x);
    const length = Math.hypot(...rawA.data.subarray(0, 8));
    const gradient = [0, 1, 2].map((d) => (gradA.data[d] - along.data[0] * x.data[d]) / length);
    // The golden value comes from central differences; measured difference 1.2e-11.
    gradient.forEach((g, d) => {
      expect(Math.abs(g - golden["d_infonce0.07/dA[0,:3]"][d])).toBeLessThan(1e-9);
    });
  });
});
