/** Predictions of similar confidence, and how often they were right. */
export interface ReliabilityBin {
  /** (from, to], the first one [0, to]. */
  from: number;
  to: number;
  count: number;
  /** Mean confidence; null for an empty bin. */
  confidence: number | null;
  accuracy: number | null;
}

/**
 * Expected calibration error: the mean over predictions of |accuracy - confidence| of their bin, in
 * bins of equal width. Source: Guo et al. 2017, https://arxiv.org/abs/1706.04599, equation 3.
 * Confidences .9 and .9, one right and one wrong, have an error of .4.
 *
 * @param confidence  [N] in [0, 1].
 * @param hits        [N] 1 where the prediction was right, else 0.
 */
export function reliability(
  confidence: ArrayLike<number>,
  hits: ArrayLike<number>,
  bins = 15,
): { ece: number; bins: ReliabilityBin[] } {
  const sums = Array.from({ length: bins }, () => ({ count: 0, confidence: 0, hits: 0 }));
  for (let i = 0; i < confidence.length; i++) {
    const bin = sums[Math.min(bins - 1, Math.max(0, Math.ceil(confidence[i] * bins) - 1))];
    bin.count++;
    bin.confidence += confidence[i];
    bin.hits += hits[i];
  }
  const off = sums.reduce((sum, bin) => sum + Math.abs(bin.hits - bin.confidence), 0);
  return {
    ece: off / confidence.length,
    bins: sums.map(({ count, confidence: total, hits: right }, i) => ({
      from: i / bins,
      to: (i + 1) / bins,
      count,
      confidence: count === 0 ? null : total / count,
      accuracy: count === 0 ? null : right / count,
    })),
  };
}
