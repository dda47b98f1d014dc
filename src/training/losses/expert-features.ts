import { type Matrix, rowRange, stack, zeros } from "../../math/matrix.js";
import { logSumExp } from "../../math/softmax.js";
import type { PairLoss } from "./pair-loss.js";

/**
 * ExpCLR: distances between embeddings follow an expert's continuous features.
 *
 *   s_ij = 1 - |f_i - f_j| / max |f - f'|,   L_ij = ((1 - s_ij) margin - |e_i - e_j|)^2
 *   loss = tau ln( mean_ij e^{L_ij / tau} )
 *
 * Source: Schmidt et al. 2022, https://arxiv.org/abs/2206.11517; the log-sum-exp focuses on the
 * hardest pairs as tau -> 0. No logarithm of a probability: the unit is a squared distance.
 *
 * @param embeddings  [N, D]
 * @param features    [N, F]; with equal rows the loss is 0.
 * @returns the loss and its gradient [N, D].
 */
export function expertFeatureLoss(
  embeddings: Matrix,
  features: Matrix,
  { temperature = 0.5, margin = 1 }: { temperature?: number; margin?: number } = {},
): { loss: number; grad: Matrix } {
  const n = embeddings.rows;
  if (features.rows !== n)
    throw new RangeError(`Expected ${n} rows of features but received ${features.rows}`);
  const apart = distances(features);
  const distance = distances(embeddings);
  const largest = apart.data.reduce((max, value) => Math.max(max, value), 0);
  // Equal features say nothing about distances.
  if (largest === 0) return { loss: 0, grad: zeros(n, embeddings.columns) };
  const difference = zeros(n, n); // target minus actual distance
  const exponent = new Float64Array(n * n);
  for (let k = 0; k < n * n; k++) {
    difference.data[k] = (apart.data[k] / largest) * margin - distance.data[k];
    exponent[k] = difference.data[k] ** 2 / temperature;
  }
  const total = logSumExp(exponent);
  const grad = zeros(n, embeddings.columns);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      const k = i * n + j;
      // The distance has no gradient where two points coincide
      if (distance.data[k] === 0) continue;
      // d loss / d distance_ij; the pair occurs twice in the sum, as (i, j) and (j, i)
      const slope =
        (2 * Math.exp(exponent[k] - total) * -2 * difference.data[k]) / distance.data[k];
      for (let d = 0; d < embeddings.columns; d++) {
        const step =
          embeddings.data[i * embeddings.columns + d] - embeddings.data[j * embeddings.columns + d];
        grad.data[i * embeddings.columns + d] += slope * step;
      }
    }
  }
  return { loss: temperature * (total - 2 * Math.log(n)), grad };
}

/**
 * `expertFeatureLoss` over the embeddings of both sides together; a_i and b_i share the features
 * f_i.
 */
export function expertFeaturePairLoss(
  a: Matrix,
  b: Matrix,
  features: Matrix,
  options: { temperature?: number; margin?: number } = {},
): PairLoss {
  const { loss, grad } = expertFeatureLoss(stack(a, b), stack(features, features), options);
  return {
    loss,
    gradA: rowRange(grad, 0, a.rows),
    gradB: rowRange(grad, a.rows, 2 * a.rows),
    gradLogLogitScale: 0,
    gradLogitBias: 0,
  };
}

/** Euclidean distances between all rows, [N, N]. */
function distances(x: Matrix): Matrix {
  const result = zeros(x.rows, x.rows);
  for (let i = 0; i < x.rows; i++) {
    for (let j = 0; j < i; j++) {
      let sum = 0;
      for (let d = 0; d < x.columns; d++) {
        sum += (x.data[i * x.columns + d] - x.data[j * x.columns + d]) ** 2;
      }
      result.data[i * x.rows + j] = result.data[j * x.rows + i] = Math.sqrt(sum);
    }
  }
  return result;
}
