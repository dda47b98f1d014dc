import type { Affine, ProjectionHead } from "../encoders/head.js";
import { closestOrthogonal, solvePositive } from "../math/decompositions.js";
import { type Matrix, matrixOf, multiply, rowRange, transpose, zeros } from "../math/matrix.js";
import { meanRow, type Rows, rowCount } from "../math/rows.js";

/** Candidate penalties, as shares of the mean variance of a dimension. */
const penalties = [1e-4, 1e-3, 1e-2, 1e-1, 1];

/** A linear map W [D_from, D_to] between texts, each side minus its mean. */
interface TextMap {
  weight: Matrix;
  penalty?: number;
}

/**
 * Ridge regression: W = (X^T X + p I)^-1 X^T Y, X and Y the centred texts. The penalty is the one
 * with which the last fifth of the texts come closest (mean cosine) when fitted on the others; the
 * map is then fitted on all.
 */
export function ridge(textsFrom: Rows, textsTo: Rows): TextMap {
  const [x, y] = [centeredMatrix(textsFrom), centeredMatrix(textsTo)];
  const cut = Math.max(1, Math.floor(x.rows * 0.8));
  const [fitX, fitY, testX, testY] = [
    rowRange(x, 0, cut),
    rowRange(y, 0, cut),
    rowRange(x, cut, x.rows),
    rowRange(y, cut, y.rows),
  ];
  const scores = penalties.map((penalty) =>
    meanCosineOf(multiply(testX, solveRidge(fitX, fitY, penalty)), testY),
  );
  const penalty = penalties[scores.indexOf(Math.max(...scores))];
  return { weight: solveRidge(x, y, penalty), penalty };
}

/**
 * Orthogonal Procrustes: the rotation (or part of one) that brings the centred texts closest, U V^T
 * of X^T Y.
 */
export function procrustes(textsFrom: Rows, textsTo: Rows): TextMap {
  const [x, y] = [centeredMatrix(textsFrom), centeredMatrix(textsTo)];
  return { weight: closestOrthogonal(multiply(transpose(x), y)) };
}

/**
 * The map as a head for embeddings of another modality than text: x -> (x - mean) W, the mean
 * folded into the bias. No mean is added on the target side: a term that is the same for every
 * candidate does not change their order, and mean-centred candidates fit as they are.
 */
export function headAround({ weight }: TextMap, mean: Float64Array): ProjectionHead {
  const layer: Affine = {
    weight: Float32Array.from(weight.data),
    bias: Float32Array.from(
      multiply(matrixOf(1, mean.length, mean), weight).data,
      (value) => -value,
    ),
    dimensionsIn: weight.rows,
    dimensionsOut: weight.columns,
  };
  return { kind: "linear", layers: [layer] };
}

function solveRidge(x: Matrix, y: Matrix, penalty: number): Matrix {
  const xt = transpose(x);
  const gram = multiply(xt, x);
  const d = gram.rows;
  let trace = 0;
  for (let i = 0; i < d; i++) trace += gram.data[i * d + i];
  if (trace === 0) return zeros(d, y.columns); // every row equals the mean: x W is 0 for any W
  for (let i = 0; i < d; i++) gram.data[i * d + i] += (penalty * trace) / d;
  return solvePositive(gram, multiply(xt, y));
}

function centeredMatrix(rows: Rows): Matrix {
  const mean = meanRow(rows);
  const { values, dimensions } = rows;
  return matrixOf(
    rowCount(rows),
    dimensions,
    Float64Array.from(values, (value, i) => value - mean[i % dimensions]),
  );
}

function meanCosineOf(a: Matrix, b: Matrix): number {
  let sum = 0;
  for (let i = 0; i < a.rows; i++) {
    let [ab, aa, bb] = [0, 0, 0];
    for (let d = i * a.columns; d < (i + 1) * a.columns; d++) {
      ab += a.data[d] * b.data[d];
      aa += a.data[d] ** 2;
      bb += b.data[d] ** 2;
    }
    sum += ab / (Math.sqrt(aa * bb) || 1);
  }
  return sum / a.rows;
}
