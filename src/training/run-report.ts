import type { EpochRecord } from "./checkpoint.js";
import type { Measure, Measures } from "./run-measures.js";
import type { ScreeningReport } from "./screening.js";
import type { TrainingOptions } from "./training-request.js";

/** The report of a training run, in plain JSON. */
export interface RunReport {
  options: TrainingOptions;
  heads: { a: string; b: string };
  data: {
    pairs: number;
    train: number;
    validation: number;
    test: number;
    /** Different labels, when pairs have labels. */
    labels?: number;
    sha256: string;
  };
  epochs: EpochRecord[];
  /** The epoch whose heads were kept; 0 = those before the first. */
  bestEpoch: number;
  stoppedBy: "epochs" | "patience";
  /** On pairs that neither training nor stopping saw. */
  measures: Measures;
  /** The same with the previously active version, if any, as "before". */
  against?: Measures;
  /** On the probe set, if given: the effect of the heads on other data. */
  forgetting?: Measures;
  verdict: Verdict;
  /** Present when pairs were screened. */
  screening?: ScreeningReport;
}

export interface Verdict {
  /**
   * Held-out retrieval improved significantly, compared with before and with the active version:
   * the intervals of the change in mean reciprocal rank are above zero.
   */
  improved: boolean;
  /** The interval of the change on the probe set is below zero; absent without a probe set. */
  forgets?: boolean;
  /** One sentence for people. */
  reason: string;
}

/**
 * Fewer pairs prove nothing at 95 %, even if all of them improved: by chance that happens once in
 * 2^5 (the sign test, two-sided, 2 * 2^-6 < .05).
 */
const minPairs = 6;

export interface Measured {
  measures: Measures;
  against?: Measures;
  forgetting?: Measures;
  bestEpoch: number;
  /** Held-out pairs that were measured. */
  pairs: number;
  activeVersion?: number;
}

/** The verdict from the measures. Only a head that improved may be activated. */
export function verdictOf(measured: Measured): Verdict {
  const { measures, against, forgetting, bestEpoch, pairs, activeVersion } = measured;
  const numbersOf = ({ before, after, interval }: Measure) =>
    `mean reciprocal rank ${before.toFixed(3)} -> ${after.toFixed(3)}, 95 % interval of the ` +
    `change ${interval.map((x) => x.toFixed(3)).join(" to ")}`;
  const rank = measures.mean_reciprocal_rank;
  const numbers = `${numbersOf(rank)}, on ${pairs} pairs`;
  const rankAgainst = against?.mean_reciprocal_rank;
  const improved =
    pairs >= minPairs &&
    rank.says === "better" &&
    (rankAgainst === undefined || rankAgainst.says === "better");
  let reason =
    rank.says === "better"
      ? `Held-out retrieval improved: ${numbers}.`
      : `No improvement on held-out pairs: ${numbers}.`;
  if (bestEpoch === 0)
    reason = `No epoch lowered the validation loss; the heads are unchanged. ${numbers}.`;
  if (pairs < minPairs) reason += ` So few pairs prove nothing: hold out at least ${minPairs}.`;
  if (rankAgainst !== undefined) {
    const comparison = { better: "Better than", worse: "Worse than" }[rankAgainst.says as string];
    reason +=
      ` ${comparison ?? "Not significantly better than"} version ${activeVersion}, ` +
      "which is active: " +
      `${numbersOf(rankAgainst)}.`;
  }
  if (forgetting === undefined) return { improved, reason };
  const probe = forgetting.mean_reciprocal_rank;
  const forgets = probe.says === "worse";
  if (forgets)
    reason += ` On the probe set it fell: ${probe.before.toFixed(3)} -> ${probe.after.toFixed(3)}.`;
  return { improved, forgets, reason };
}
