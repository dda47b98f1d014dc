import { sigmoid } from "../math/softmax.js";
import type { Logistic } from "../zero-shot/reference.js";

/** Pulls the slope towards 1 when separable data would make it infinite. */
const ridge = 1e-3;

/**
 * Platt's fit: the slope and offset that maximise the likelihood of the hits, by Newton's method on
 * the mean log-loss. Source: Platt 1999; Lin, Lin and Weng 2007 on its convexity.
 *
 * @param odds  [N] of a label against neutral texts, in nats.
 * @param hits  [N] 1 where the label is the item's.
 */
export function fitLogistic(odds: Float64Array, hits: Uint8Array): Logistic {
  let slope = 1;
  const share =
    Math.max(
      1,
      hits.reduce((sum, hit) => sum + hit, 0),
    ) / hits.length;
  let offset = Math.log(share / Math.max(1 - share, 1 / hits.length));
  let loss = lossOf(odds, hits, { slope, offset });
  for (let step = 0; step < 100; step++) {
    let [g1, g2, h11, h12, h22] = [ridge * (slope - 1), 0, ridge, 0, 1e-12];
    for (let i = 0; i < odds.length; i++) {
      const p = sigmoid(slope * odds[i] + offset);
      const weight = (p * (1 - p)) / odds.length;
      const error = (p - hits[i]) / odds.length;
      g1 += error * odds[i];
      g2 += error;
      h11 += weight * odds[i] ** 2;
      h12 += weight * odds[i];
      h22 += weight;
    }
    const determinant = h11 * h22 - h12 * h12;
    const [d1, d2] = [(h22 * g1 - h12 * g2) / determinant, (h11 * g2 - h12 * g1) / determinant];
    let rate = 1; // halved until the loss falls: far away Newton's step may lead nowhere
    let next = loss;
    for (; rate > 1e-6; rate /= 2) {
      next = lossOf(odds, hits, { slope: slope - rate * d1, offset: offset - rate * d2 });
      if (next <= loss) break;
    }
    if (!(next < loss)) break;
    slope -= rate * d1;
    offset -= rate * d2;
    if (loss - next < 1e-12) break;
    loss = next;
  }
  return { slope, offset };
}

/** Mean of -ln P(hit or miss), with the pull on the slope. */
function lossOf(odds: Float64Array, hits: Uint8Array, { slope, offset }: Logistic): number {
  let sum = 0;
  for (let i = 0; i < odds.length; i++) {
    const x = (slope * odds[i] + offset) * (hits[i] ? 1 : -1);
    sum += x > 0 ? Math.log1p(Math.exp(-x)) : Math.log1p(Math.exp(x)) - x;
  }
  return sum / odds.length + (ridge / 2) * (slope - 1) ** 2;
}
