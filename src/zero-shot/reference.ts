import { turnClock } from "../json/next-turn.js";
import { cosines, type Rows, rowAt, rowCount } from "../math/rows.js";
import { logSumExp } from "../math/softmax.js";

/** The reference of a pack's labels, to detect inputs that none of them fits. */
export interface Reference {
  /** [V, D] Unit embeddings of neutral texts, in the templates of the labels. */
  neutral: Rows;
  neutralTexts: readonly string[];
  /** [N, D] Unit embeddings of inputs: background that no label fits. */
  background: Rows;
  /** Label of each background input, if it has one: the same candidate label fits it. */
  backgroundLabels?: readonly (string | undefined)[];
  /** Of a calibration: makes a label's odds against the neutral texts a probability. */
  logistic?: Logistic;
}

/** P = 1 / (1 + exp(-(slope * odds + offset))) */
export interface Logistic {
  slope: number;
  offset: number;
}

/** Measures of one input against the labels; all in nats. */
export interface Odds {
  /** [L] One logit for each label. */
  logits: Float64Array;
  /** The odds of all labels together against the neutral texts: higher is more familiar. */
  all: number;
  /** Subtracted from a label's logit to get its odds against the neutral texts. */
  neutral: number;
}

/** ln of the labels' share to the neutral texts' share of one softmax over both. */
export function oddsOf(logits: Float64Array, neutralLogits: ArrayLike<number>): Odds {
  const neutral = logSumExp(neutralLogits);
  return { logits, all: logSumExp(logits) - neutral, neutral };
}

/** `scale` times the cosines of one unit embedding with unit rows. */
export const logitsOf = (rows: Rows, embedding: Float32Array, scale: number): Float64Array =>
  Float64Array.from(
    cosines({ values: embedding, dimensions: rows.dimensions }, rows),
    (s) => scale * s,
  );

/** Whether an input fits any label at all. */
export interface Verdict {
  known: boolean;
  /** Of all labels together against the neutral texts, in nats. */
  odds: number;
  /** Share of background inputs that look at least as familiar, the input itself counted. */
  pValue: number;
}

/** The background compared with the labels of a request. */
export interface BackgroundOdds {
  /** Background inputs that none of the labels fits. */
  count: number;
  verdict(odds: Odds, falseAlarmRate: number): Verdict;
  /** [L] Odds at which a label passes at that rate; infinite with too little background. */
  thresholds(falseAlarmRate: number): Float64Array;
}

/**
 * Compares the background with the labels, in turns.
 *
 * An input is known when the share of background inputs as familiar as it, itself counted, is at
 * most the rate: (1 + #{background >= input}) / (N + 1) <= rate. If unknown inputs come from where
 * the background comes from, at most that rate of them passes, whatever the labels are. Source:
 * Vovk et al. 2005, conformal p-values; Bates et al. 2023, https://arxiv.org/abs/2104.08279.
 */
export async function backgroundOdds(
  { background, backgroundLabels }: Pick<Reference, "background" | "backgroundLabels">,
  labels: readonly string[],
  measure: (embedding: Float32Array) => Odds,
): Promise<BackgroundOdds> {
  const places = new Map(labels.map((label, i) => [label, i]));
  const all: number[] = [];
  const ofLabels = labels.map((): number[] => []);
  const clock = turnClock();
  for (let i = 0; i < rowCount(background); i++) {
    if (clock.isUp()) await clock.next();
    const label = backgroundLabels?.[i];
    const place = label === undefined ? undefined : places.get(label);
    const odds = measure(rowAt(background, i));
    if (place === undefined) all.push(odds.all);
    for (const [j, logit] of odds.logits.entries())
      if (j !== place) ofLabels[j].push(logit - odds.neutral);
  }
  const descending = (values: number[]) => values.sort((a, b) => b - a);
  descending(all);
  for (const values of ofLabels) descending(values);
  return {
    count: all.length,
    verdict({ all: input }, falseAlarmRate) {
      const above = all.findIndex((value) => value < input);
      const pValue = (1 + (above < 0 ? all.length : above)) / (all.length + 1);
      return { known: pValue <= falseAlarmRate, odds: input, pValue };
    },
    thresholds: (falseAlarmRate) =>
      Float64Array.from(ofLabels, (values) => {
        const allowed = Math.floor(falseAlarmRate * (values.length + 1)) - 1;
        return allowed < 0 ? Number.POSITIVE_INFINITY : (values[allowed] ?? -Infinity);
      }),
  };
}
