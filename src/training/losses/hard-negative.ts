import { type Matrix, zeros } from "../../math/matrix.js";
import { type LogitLoss, type PairLoss, twoViewLoss } from "./pair-loss.js";

export interface HardNegativeOptions {
  /** tau+: how likely an arbitrary other pair is in truth a positive, in [0, 1). */
  positivePrior?: number;
  /** beta: how much more similar negatives weigh; 0 weighs all equally. */
  hardness?: number;
}

/**
 * NT-Xent whose negatives are corrected for hidden positives and weighted towards the hard ones.
 *
 *   loss = mean_i -ln( pos / (pos + Ng) ),
 *   pos = e^{l_ip},   neg_k = e^{l_ik} for the M = 2N - 2 others
 *   Ng = max( (R - tau+ M pos) / (1 - tau+),  M e^{-logitScale} )
 *   R  = sum(neg^(beta + 1)) / mean(neg^beta)          (the plain sum of neg when beta is 0)
 *
 * Source: Robinson et al. 2021, https://arxiv.org/abs/2010.04592, equations 3-4; with beta = 0 the
 * debiased loss of Chuang et al. 2020, https://arxiv.org/abs/2007.00224; with beta = 0 and tau+ = 0
 * NT-Xent.
 */
export function hardNegative(
  a: Matrix,
  b: Matrix,
  logitScale: number,
  { positivePrior = 0.1, hardness = 1 }: HardNegativeOptions = {},
): PairLoss {
  if (!(positivePrior >= 0 && positivePrior < 1)) {
    throw new RangeError(`positivePrior must be in [0, 1) but is ${positivePrior}`);
  }
  if (a.rows < 2) throw new RangeError("hardNegative needs at least 2 pairs");
  return twoViewLoss(a, b, logitScale, (logits) =>
    lossOfLogits(logits, logitScale, positivePrior, hardness),
  );
}

/** The debiased loss: `hardNegative` without a preference for hard negatives. */
export function debiased(a: Matrix, b: Matrix, logitScale: number, positivePrior = 0.1): PairLoss {
  return hardNegative(a, b, logitScale, { positivePrior, hardness: 0 });
}

function lossOfLogits(logits: Matrix, logitScale: number, prior: number, beta: number): LogitLoss {
  const count = logits.rows;
  const n = count / 2;
  const m = count - 2;
  const gradLogits = zeros(count, count);
  let loss = 0;
  let gradLogLogitScale = 0;
  for (let i = 0; i < count; i++) {
    const row = logits.data.subarray(i * count, (i + 1) * count);
    const partner = (i + n) % count;
    const isNegative = (j: number) => j !== i && j !== partner;
    // All terms are taken relative to e^max, which does not change the loss and keeps large logit
    // scales finite.
    let max = row[partner];
    for (let j = 0; j < count; j++) if (isNegative(j) && row[j] > max) max = row[j];
    const pos = Math.exp(row[partner] - max);
    let weighted = 0; // sum of neg^(beta + 1)
    let weights = 0; // sum of neg^beta
    for (let j = 0; j < count; j++) {
      if (!isNegative(j)) continue;
      weighted += Math.exp((beta + 1) * (row[j] - max));
      weights += Math.exp(beta * (row[j] - max));
    }
    const r = (m * weighted) / weights;
    const floor = m * Math.exp(-logitScale - max);
    const corrected = (r - prior * m * pos) / (1 - prior);
    const floored = corrected < floor;
    const negatives = floored ? floor : corrected;
    const total = pos + negatives;
    loss += Math.log(total / pos) / count;

    const gradPos = (1 / total) * (floored ? 1 : 1 - (prior * m) / (1 - prior)) - 1 / pos;
    gradLogits.data[i * count + partner] = (gradPos * pos) / count;
    if (floored) {
      gradLogLogitScale -= ((floor / total) * logitScale) / count;
      continue;
    }
    const gradR = 1 / (total * (1 - prior));
    for (let j = 0; j < count; j++) {
      if (!isNegative(j)) continue;
      const up = ((beta + 1) * Math.exp((beta + 1) * (row[j] - max))) / weights;
      const down = (weighted * beta * Math.exp(beta * (row[j] - max))) / (weights * weights);
      gradLogits.data[i * count + j] = (gradR * m * (up - down)) / count;
    }
  }
  return { loss, gradLogits, gradLogLogitScale };
}
