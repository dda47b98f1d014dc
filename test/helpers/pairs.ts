import { multiply } from "../../src/math/matrix.js";
import type { TrainingOptions, TrainingRequest } from "../../src/training/training-request.js";
import { formulaMatrix, randomUnitRows, unitRows } from "./matrices.js";

const dimensions = 16;

const side = (rows: { data: Float64Array }) => ({
  values: Float32Array.from(rows.data),
  dimensions,
});

/**
 * Pairs whose b is a turned by a fixed random linear map, with a little noise: alike only once
 * heads undo the map.
 */
export function rotatedPairs(count: number, options: Partial<TrainingOptions>): TrainingRequest {
  const a = randomUnitRows(count, dimensions, 1);
  const noise = randomUnitRows(count, dimensions, 2);
  const turned = unitRows(multiply(a, randomUnitRows(dimensions, dimensions, 3)));
  const b = unitRows({ ...turned, data: turned.data.map((x, i) => x + 0.1 * noise.data[i]) });
  return { a: side(a), b: side(b), options };
}

/** Pairs that have nothing to do with each other. */
export function randomPairs(count: number, options: Partial<TrainingOptions>): TrainingRequest {
  return {
    a: side(randomUnitRows(count, dimensions, 4)),
    b: side(randomUnitRows(count, dimensions, 5)),
    options,
  };
}

/**
 * Four labels: a scatters around a direction of its label, b is one other direction for each label.
 */
export function labelledPairs(count: number, options: Partial<TrainingOptions>): TrainingRequest {
  const centers = randomUnitRows(4, dimensions, 6);
  const names = randomUnitRows(4, dimensions, 7);
  const noise = randomUnitRows(count, dimensions, 8);
  const of = (m: { data: Float64Array }, i: number, d: number) => m.data[(i % 4) * dimensions + d];
  const a = unitRows(
    formulaMatrix(count, dimensions, (i, d) => of(centers, i, d) + noise.data[i * dimensions + d]),
  );
  const b = formulaMatrix(count, dimensions, (i, d) => of(names, i, d));
  return {
    a: side(a),
    b: side(b),
    labels: Int32Array.from({ length: count }, (_, i) => i % 4),
    options,
  };
}
