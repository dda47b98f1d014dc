import {
  type Matrix,
  multiply,
  multiplyTransposed,
  rowRange,
  stack,
  transpose,
  zeros,
} from "../../math/matrix.js";

/** The multiplier and offset between similarities and logits. 1 / logitScale is the temperature. */
export interface LogitParameters {
  logitScale: number;
  /** Added to every logit; only the sigmoid loss has one. */
  logitBias: number;
}

/**
 * A loss of N pairs with its gradient. Rows i of `gradA` and `gradB` belong to the unit embeddings
 * a_i and b_i.
 */
export interface PairLoss {
  /** In nats, except where a loss says otherwise. */
  loss: number;
  /** [N, D] */
  gradA: Matrix;
  /** [N, D] */
  gradB: Matrix;
  /** With respect to ln(logitScale), the number that is learned. */
  gradLogLogitScale: number;
  gradLogitBias: number;
}

/** A loss as a function of logits, with dLoss/dLogits of the same shape. */
export interface LogitLoss {
  loss: number;
  gradLogits: Matrix;
  /** The loss's direct dependence on the logit scale, besides the logits, times logitScale. */
  gradLogLogitScale?: number;
}

/**
 * A loss of the logits between the two sides, logits[i][j] = logitScale * dot(a_i, b_j) +
 * logitBias, as a loss of the embeddings.
 *
 * @param a  [N, D] unit rows.
 * @param b  [M, D] unit rows.
 */
export function crossLoss(
  a: Matrix,
  b: Matrix,
  { logitScale, logitBias }: LogitParameters,
  lossOf: (logits: Matrix) => LogitLoss,
): PairLoss {
  const logits = multiplyTransposed(a, b);
  for (let i = 0; i < logits.data.length; i++)
    logits.data[i] = logitScale * logits.data[i] + logitBias;
  const { loss, gradLogits } = lossOf(logits);
  let gradLogLogitScale = 0;
  let gradLogitBias = 0;
  const scaled = zeros(gradLogits.rows, gradLogits.columns);
  for (let i = 0; i < gradLogits.data.length; i++) {
    gradLogLogitScale += gradLogits.data[i] * (logits.data[i] - logitBias);
    gradLogitBias += gradLogits.data[i];
    scaled.data[i] = logitScale * gradLogits.data[i];
  }
  return {
    loss,
    gradA: multiply(scaled, b),
    gradB: multiply(transpose(scaled), a),
    gradLogLogitScale,
    gradLogitBias,
  };
}

/**
 * A loss of the logits among all 2N embeddings, rows 0..N-1 those of `a` and N..2N-1 those of `b`,
 * as a loss of the embeddings. The partner of row i is row (i + N) mod 2N.
 */
export function twoViewLoss(
  a: Matrix,
  b: Matrix,
  logitScale: number,
  lossOf: (logits: Matrix) => LogitLoss,
): PairLoss {
  const n = a.rows;
  const all = stack(a, b);
  const logits = multiplyTransposed(all, all);
  for (let i = 0; i < logits.data.length; i++) logits.data[i] *= logitScale;
  const result = lossOf(logits);
  let gradLogLogitScale = result.gradLogLogitScale ?? 0;
  const symmetric = zeros(2 * n, 2 * n);
  const { data } = result.gradLogits;
  for (let i = 0; i < 2 * n; i++) {
    for (let j = 0; j < 2 * n; j++) {
      gradLogLogitScale += data[i * 2 * n + j] * logits.data[i * 2 * n + j];
      symmetric.data[i * 2 * n + j] = logitScale * (data[i * 2 * n + j] + data[j * 2 * n + i]);
    }
  }
  const grad = multiply(symmetric, all);
  return {
    loss: result.loss,
    gradA: rowRange(grad, 0, n),
    gradB: rowRange(grad, n, 2 * n),
    gradLogLogitScale,
    gradLogitBias: 0,
  };
}
