import { type Matrix, matrixOf } from "../../src/math/matrix.js";
import { seededRandom } from "../../src/math/random.js";

/** [rows, columns] with element (i, d) = formula(i, d). */
export function formulaMatrix(
  rows: number,
  columns: number,
  formula: (i: number, d: number) => number,
): Matrix {
  return matrixOf(
    rows,
    columns,
    Float64Array.from({ length: rows * columns }, (_, k) =>
      formula(Math.floor(k / columns), k % columns),
    ),
  );
}

/** The rows of x at unit length. */
export function unitRows(x: Matrix): Matrix {
  const length = (i: number) => Math.hypot(...x.data.subarray(i * x.columns, (i + 1) * x.columns));
  return formulaMatrix(x.rows, x.columns, (i, d) => x.data[i * x.columns + d] / length(i));
}

/** Unit rows in random directions. */
export function randomUnitRows(rows: number, columns: number, seed: number): Matrix {
  const random = seededRandom(seed);
  return unitRows(formulaMatrix(rows, columns, () => random.normal()));
}

/**
 * The largest difference between `grad` and central differences of `value` over the elements of
 * `at`.
 */
export function gradientError(
  value: () => number,
  at: Float64Array,
  grad: ArrayLike<number>,
  step = 1e-6,
): number {
  let worst = 0;
  for (let i = 0; i < at.length; i++) {
    const kept = at[i];
    at[i] = kept + step;
    const up = value();
    at[i] = kept - step;
    const down = value();
    at[i] = kept;
    worst = Math.max(worst, Math.abs((up - down) / (2 * step) - grad[i]));
  }
  return worst;
}
