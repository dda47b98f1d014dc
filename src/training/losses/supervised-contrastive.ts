import { type Matrix, zeros } from "../../math/matrix.js";
import { logSumExp } from "../../math/softmax.js";
import { type LogitLoss, type PairLoss, twoViewLoss } from "./pair-loss.js";

/**
 * Supervised contrastive loss over the 2N embeddings of both sides: everything with the same label
 * is a positive.
 *
 *   loss = mean_i mean_{p in P(i)} -ln( e^{l_ip} / sum_{k != i} e^{l_ik} ),
 *   P(i) = others with the label of i
 *
 * Source: Khosla et al. 2020, https://arxiv.org/abs/2004.11362, equation 2 (L_out), without its
 * factor tau / tau_base.
 *
 * @param labels  N labels; a_i and b_i share label i.
 */
export function supervisedContrastive(
  a: Matrix,
  b: Matrix,
  labels: ArrayLike<number>,
  logitScale: number,
): PairLoss {
  if (labels.length !== a.rows)
    throw new RangeError(`Expected ${a.rows} labels but received ${labels.length}`);
  return twoViewLoss(a, b, logitScale, (logits) => lossOfLogits(logits, labels));
}

/** NT-Xent (SimCLR): `supervisedContrastive` when every pair has a different label. */
export function ntXent(a: Matrix, b: Matrix, logitScale: number): PairLoss {
  return supervisedContrastive(
    a,
    b,
    Uint32Array.from({ length: a.rows }, (_, i) => i),
    logitScale,
  );
}

function lossOfLogits(logits: Matrix, labels: ArrayLike<number>): LogitLoss {
  const count = logits.rows;
  const labelOf = (i: number) => labels[i % labels.length];
  const gradLogits = zeros(count, count);
  let loss = 0;
  for (let i = 0; i < count; i++) {
    const row = logits.data.slice(i * count, (i + 1) * count);
    row[i] = Number.NEGATIVE_INFINITY;
    const total = logSumExp(row);
    let positives = 0;
    for (let j = 0; j < count; j++) if (j !== i && labelOf(j) === labelOf(i)) positives++;
    for (let j = 0; j < count; j++) {
      const weight = j !== i && labelOf(j) === labelOf(i) ? 1 / positives : 0;
      if (weight > 0) loss += (weight * (total - row[j])) / count;
      gradLogits.data[i * count + j] = (Math.exp(row[j] - total) - weight) / count;
    }
  }
  return { loss, gradLogits };
}
