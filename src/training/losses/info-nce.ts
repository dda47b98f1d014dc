import { addScaled, type Matrix, zeros } from "../../math/matrix.js";
import { logSumExp } from "../../math/softmax.js";
import { crossLoss, type LogitLoss, type LogitParameters, type PairLoss } from "./pair-loss.js";

/**
 * Symmetric cross-entropy over an N x N matrix of logits: CLIP's training loss.
 *
 *   loss = (CE over rows + CE over columns) / 2,   target of row i and of column i = i
 *
 * Source: Radford et al. 2021, https://arxiv.org/abs/2103.00020, figure 3.
 *
 * @param logits  [N, N], logits[i][j] = logitScale * dot(a_i, b_j), where a_i and b_i are a pair.
 * @returns `loss` in nats (ln N when all logits are equal), and
 *   `gradLogits` [N, N] = (softmaxRows + softmaxCols - 2I) / 2N.
 */
export function symmetricCrossEntropy(logits: Matrix): LogitLoss {
  const n = logits.rows;
  const gradLogits = zeros(n, n);
  let loss = 0;
  for (let i = 0; i < n; i++) {
    const row = logits.data.subarray(i * n, (i + 1) * n);
    const column = Float64Array.from({ length: n }, (_, j) => logits.data[j * n + i]);
    const rowTotal = logSumExp(row);
    const columnTotal = logSumExp(column);
    loss += (rowTotal + columnTotal - 2 * row[i]) / (2 * n);
    for (let j = 0; j < n; j++) {
      gradLogits.data[i * n + j] += Math.exp(row[j] - rowTotal) / (2 * n);
      gradLogits.data[j * n + i] += Math.exp(column[j] - columnTotal) / (2 * n);
    }
    gradLogits.data[i * n + i] -= 1 / n;
  }
  return { loss, gradLogits };
}

/** Symmetric InfoNCE: `symmetricCrossEntropy` of logitScale * dot(a_i, b_j). */
export function infoNce(a: Matrix, b: Matrix, logitScale: number): PairLoss {
  return crossLoss(a, b, { logitScale, logitBias: 0 }, symmetricCrossEntropy);
}

/**
 * SigLIP's loss: each of the N x N logits is an independent yes-or-no question.
 *
 *   loss = -1/N sum_ij ln sigmoid(z_ij * logits_ij),   z = +1 on the diagonal, -1 elsewhere
 *
 * Source: Zhai et al. 2023, https://arxiv.org/abs/2303.15343, equation 2. N ln 2 when every logit
 * is 0.
 */
export function pairwiseSigmoid(logits: Matrix): LogitLoss {
  const n = logits.rows;
  const gradLogits = zeros(n, n);
  let loss = 0;
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      const sign = i === j ? 1 : -1;
      const z = sign * logits.data[i * n + j];
      // Ln(1 + e^-z)
      const softplus = z > 0 ? Math.log1p(Math.exp(-z)) : Math.log1p(Math.exp(z)) - z;
      loss += softplus / n;
      // 1 - sigmoid(z) = 1 - e^-softplus
      gradLogits.data[i * n + j] = (-sign * -Math.expm1(-softplus)) / n;
    }
  }
  return { loss, gradLogits };
}

/** SigLIP's loss of unit embeddings, with its logit scale and bias. */
export function sigmoidLoss(a: Matrix, b: Matrix, parameters: LogitParameters): PairLoss {
  return crossLoss(a, b, parameters, pairwiseSigmoid);
}

/**
 * Three towers: the mean of the symmetric InfoNCE of (a, b), (a, third) and (b, third).
 *
 * Source: Kossen et al. 2023, https://arxiv.org/abs/2305.16999. The paper's heads between the
 * towers and the third are omitted: here `a` and `b` are outputs of the trained heads.
 *
 * @param third  [N, D] unit embeddings of the same pairs by a frozen third model; it gets no
 *   gradient.
 */
export function threeTowers(a: Matrix, b: Matrix, third: Matrix, logitScale: number): PairLoss {
  const main = infoNce(a, b, logitScale);
  const ofA = infoNce(a, third, logitScale);
  const ofB = infoNce(b, third, logitScale);
  const gradA = zeros(a.rows, a.columns);
  const gradB = zeros(b.rows, b.columns);
  for (const grad of [main.gradA, ofA.gradA]) addScaled(gradA, grad, 1 / 3);
  for (const grad of [main.gradB, ofB.gradA]) addScaled(gradB, grad, 1 / 3);
  return {
    loss: (main.loss + ofA.loss + ofB.loss) / 3,
    gradA,
    gradB,
    gradLogLogitScale: (main.gradLogLogitScale + ofA.gradLogLogitScale + ofB.gradLogLogitScale) / 3,
    gradLogitBias: 0,
  };
}
