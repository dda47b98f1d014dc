import type { Matrix } from "../../math/matrix.js";
import { expertFeaturePairLoss } from "./expert-features.js";
import { debiased, hardNegative } from "./hard-negative.js";
import { infoNce, sigmoidLoss, threeTowers } from "./info-nce.js";
import { nearestNeighborLoss } from "./nearest-neighbor.js";
import type { LogitParameters, PairLoss } from "./pair-loss.js";
import { ntXent, supervisedContrastive } from "./supervised-contrastive.js";

export const lossNames = [
  "infonce",
  "sigmoid",
  "supervised-contrastive",
  "nt-xent",
  "debiased",
  "hard-negative",
  "nnclr",
  "three-towers",
  "expclr",
] as const;
export type LossName = (typeof lossNames)[number];

/** Further inputs of some losses, besides the two sides of a batch. */
export interface LossExtras {
  /** supervised-contrastive: N labels. */
  labels?: ArrayLike<number>;
  /** three-towers: [N, D] unit embeddings of a frozen third model. */
  third?: Matrix;
  /** expclr: [N, F] continuous features. */
  features?: Matrix;
  /** nnclr: unit embeddings of earlier batches of either side. */
  supportA?: Matrix;
  supportB?: Matrix;
}

/**
 * The loss of that name with its gradient, with the settings of its paper.
 */
export function lossOf(
  name: LossName,
  a: Matrix,
  b: Matrix,
  logits: LogitParameters,
  extras: LossExtras,
): PairLoss {
  const t = logits.logitScale;
  switch (name) {
    case "infonce":
      return infoNce(a, b, t);
    case "sigmoid":
      return sigmoidLoss(a, b, logits);
    case "supervised-contrastive":
      return supervisedContrastive(a, b, needed(extras.labels, name, "labels"), t);
    case "nt-xent":
      return ntXent(a, b, t);
    case "debiased":
      return debiased(a, b, t);
    case "hard-negative":
      return hardNegative(a, b, t);
    case "nnclr":
      return nearestNeighborLoss(a, b, extras.supportA ?? a, extras.supportB ?? b, t);
    case "three-towers":
      return threeTowers(a, b, needed(extras.third, name, "third"), t);
    case "expclr":
      return expertFeaturePairLoss(a, b, needed(extras.features, name, "features"));
  }
}

function needed<T>(value: T | undefined, loss: LossName, requirement: string): T {
  if (value === undefined) throw new TypeError(`The loss "${loss}" needs ${requirement}`);
  return value;
}
