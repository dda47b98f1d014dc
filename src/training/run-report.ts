import type { EpochRecord } from "./checkpoint.js";
import type { Measures } from "./run-measures.js";
import type { ScreeningReport } from "./screening.js";
import type { TrainingOptions } from "./training-request.js";

/** What a training run did, in plain JSON. */
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
  /** On the probe set, when one was given: what the heads did to other data. */
  forgetting?: Measures;
  verdict: Verdict;
  /** Present when pairs were screened. */
  screening?: ScreeningReport;
}

export interface Verdict {
  /**
   * Held-out retrieval got better beyond doubt: the interval of the change in mean reciprocal rank
   * lies above zero.
   */
  improved: boolean;
  /** The interval of the change on the probe set lies below zero; absent without a probe set. */
  forgets?: boolean;
  /** One sentence for people. */
  reason: string;
}

/** The verdict that measures allow. Only a head that improved may be promoted. */
export function verdictOf(measures: Measures, bestEpoch: number, forgetting?: Measures): Verdict {
  const { before, after, interval, says } = measures.mean_reciprocal_rank;
  const numbers = `mean reciprocal rank ${before.toFixed(3)} -> ${after.toFixed(3)}, 95 % interval of the change ${interval.map((x) => x.toFixed(3)).join(" to ")}`;
  const improved = says === "better";
  let reason = improved
    ? `Held-out retrieval improved: ${numbers}.`
    : `No improvement on held-out pairs: ${numbers}.`;
  if (bestEpoch === 0)
    reason = `No epoch lowered the validation loss; the heads are as they started. ${numbers}.`;
  if (forgetting === undefined) return { improved, reason };
  const probe = forgetting.mean_reciprocal_rank;
  const forgets = probe.says === "worse";
  if (forgets)
    reason += ` On the probe set it fell: ${probe.before.toFixed(3)} -> ${probe.after.toFixed(3)}.`;
  return { improved, forgets, reason };
}
