import { describe, expect, it } from "vitest";
import {
  adamWDefaults,
  adamWStep,
  cosineSchedule,
  stepSize,
} from "../../src/training/optimizer.js";

const one = (value: number) => ({
  value: Float32Array.of(value),
  first: new Float32Array(1),
  second: new Float32Array(1),
});

describe("adamWStep", () => {
  it("moves by the learning rate against the sign of the first gradient", () => {
    const parameter = one(1);
    adamWStep(parameter, [-3], stepSize(1, 0.01, adamWDefaults), adamWDefaults);
    expect(parameter.value[0]).toBeCloseTo(1.01, 6);
  });

  it("follows the paper's algorithm, written with means and corrections", () => {
    const options = { beta1: 0.9, beta2: 0.99, epsilon: 1e-3, weightDecay: 0.2 };
    const parameter = one(0.5);
    let [w, m, v] = [0.5, 0, 0];
    for (let t = 1; t <= 30; t++) {
      const g = Math.sin(t) + 0.3;
      const rate = 0.02 / t;
      adamWStep(parameter, [g], stepSize(t, rate, options), options, [0]);
      m = 0.9 * m + 0.1 * g;
      v = 0.99 * v + 0.01 * g * g;
      w -= rate * (m / (1 - 0.9 ** t) / (Math.sqrt(v / (1 - 0.99 ** t)) + 1e-3) + 0.2 * w);
      // The state is float32: measured at most 3.9e-8.
      expect(Math.abs(parameter.value[0] - w)).toBeLessThan(1e-6);
    }
  });

  it("pulls towards the anchor and not towards zero", () => {
    const parameter = one(2);
    const options = { ...adamWDefaults, weightDecay: 1 };
    adamWStep(parameter, [0], stepSize(1, 0.5, options), options, [3]);
    expect(parameter.value[0]).toBe(2.5);
  });
});

describe("cosineSchedule", () => {
  it("rises to the peak over the warm-up, then falls to half midway and to 0 at the end", () => {
    expect([0, 1, 3].map((step) => cosineSchedule(step, 104, 8, 4))).toEqual([2, 4, 8]);
    expect(cosineSchedule(54, 104, 8, 4)).toBeCloseTo(4, 12);
    expect(cosineSchedule(104, 104, 8, 4)).toBeCloseTo(0, 12);
  });
  it("starts at the peak without warm-up", () => {
    expect(cosineSchedule(0, 10, 8, 0)).toBe(8);
  });
});
