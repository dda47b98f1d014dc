import { expect, it } from "vitest";
import { principalAxes } from "../../src/math/principal-axes.js";
import { seededRandom } from "../../src/math/random.js";
import { meanRow, rowsOf } from "../../src/math/rows.js";
import { dot } from "../../src/math/vector.js";

it("finds the axes of an ellipsoid, whose variances are known", () => {
  // Points at ±s_k along each of three orthonormal directions: variance s_k² / 3 along each.
  const directions = [
    [1 / 3, 2 / 3, 2 / 3],
    [-2 / 3, -1 / 3, 2 / 3],
    [2 / 3, -2 / 3, 1 / 3],
  ];
  const rows = rowsOf(
    directions.flatMap((direction, k) =>
      [1, -1].map((sign) => direction.map((x) => 5 + sign * [3, 2, 1][k] * x)),
    ),
  );
  const { axes, explained } = principalAxes(rows, meanRow(rows));
  for (const k of [0, 1])
    expect(Math.abs(dot(axes[k], Float64Array.from(directions[k])))).toBeCloseTo(1, 6);
  expect(explained[0]).toBeCloseTo(9 / 14, 6);
  expect(explained[1]).toBeCloseTo(4 / 14, 6);
  for (const axis of axes) expect(Math.max(...axis)).toBeGreaterThan(-Math.min(...axis) - 1e-9);
});

it("is at rest for rows that are all the same, and for a single one", () => {
  const random = seededRandom(1);
  const row = Float32Array.from({ length: 8 }, () => random.normal());
  for (const rows of [rowsOf([row]), rowsOf([row, row, row])]) {
    const { axes, explained } = principalAxes(rows, meanRow(rows));
    expect(explained).toEqual([0, 0]);
    for (const axis of axes) for (const x of axis) expect(Number.isFinite(x)).toBe(true);
  }
});
