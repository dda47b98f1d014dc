import { type Matrix, multiply, multiplyTransposed, transpose, zeros } from "../../math/matrix.js";
import { logSumExp } from "../../math/softmax.js";
import type { PairLoss } from "./pair-loss.js";

/**
 * NNCLR between two sides: each embedding is replaced by its nearest neighbour in a support set of
 * its own side, which must then find the partner among the other side's embeddings.
 *
 *   loss = half the mean of -ln( e^{t NN(a_i) b_i} / sum_k e^{t NN(a_i) b_k} ),
 *          plus the same with a and b exchanged
 *
 * The neighbours are constants: a gradient flows only into the side they are compared with.
 * Source: Dwibedi et al. 2021, https://arxiv.org/abs/2104.14548, equation 3, symmetrised.
 *
 * @param supportA  [Q, D] unit embeddings of side a, e.g. those of earlier batches; Q >= 1.
 */
export function nearestNeighborLoss(
  a: Matrix,
  b: Matrix,
  supportA: Matrix,
  supportB: Matrix,
  logitScale: number,
): PairLoss {
  const towardsB = oneWay(nearest(a, supportA), b, logitScale);
  const towardsA = oneWay(nearest(b, supportB), a, logitScale);
  return {
    loss: towardsB.loss + towardsA.loss,
    gradA: towardsA.grad,
    gradB: towardsB.grad,
    gradLogLogitScale: towardsB.gradLogLogitScale + towardsA.gradLogLogitScale,
    gradLogitBias: 0,
  };
}

function nearest(x: Matrix, support: Matrix): Matrix {
  if (support.rows === 0) throw new RangeError("The support set is empty");
  const similarity = multiplyTransposed(x, support);
  const result = zeros(x.rows, x.columns);
  for (let i = 0; i < x.rows; i++) {
    let best = 0;
    for (let j = 1; j < support.rows; j++) {
      if (similarity.data[i * support.rows + j] > similarity.data[i * support.rows + best])
        best = j;
    }
    result.data.set(support.data.subarray(best * x.columns, (best + 1) * x.columns), i * x.columns);
  }
  return result;
}

/** Half the cross-entropy of the rows of logitScale * from . to_k, target i. */
function oneWay(from: Matrix, to: Matrix, logitScale: number) {
  const n = to.rows;
  const logits = multiplyTransposed(from, to);
  const gradLogits = zeros(n, n);
  let loss = 0;
  let gradLogLogitScale = 0;
  for (let i = 0; i < n; i++) {
    const row = logits.data.subarray(i * n, (i + 1) * n);
    for (let j = 0; j < n; j++) row[j] *= logitScale;
    const total = logSumExp(row);
    loss += (total - row[i]) / (2 * n);
    for (let j = 0; j < n; j++) {
      const grad = (Math.exp(row[j] - total) - (i === j ? 1 : 0)) / (2 * n);
      gradLogLogitScale += grad * row[j];
      gradLogits.data[i * n + j] = grad * logitScale;
    }
  }
  return { loss, grad: multiply(transpose(gradLogits), from), gradLogLogitScale };
}
