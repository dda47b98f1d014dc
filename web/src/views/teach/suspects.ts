import { mean } from "../../../../src/math/statistics.js";
import { screenPairs } from "../../../../src/training/screening.js";
import { type Labelled, type Prediction, rowsOf } from "./cross-validation.js";

/** An example whose label may be wrong, and why. */
export type Suspect =
  /** The others clearly predict something else. */
  | { at: number; kind: "predicted"; label: number; probability: number }
  /** Almost the same as another, which has another label. */
  | { at: number; kind: "twin"; twin: number }
  /** Unlike everything else. */
  | { at: number; kind: "alone" };

export interface Screened {
  suspects: Suspect[];
  /** Labels whose examples are as unlike as any two. */
  mixedLabels: number[];
}

/**
 * Labels that look wrong: by the screening that training has, and by the others' prediction where
 * it is at least as sure as it is on average of those that it is right about. After Northcutt,
 * Jiang and Chuang 2021, https://doi.org/10.1613/jair.1.12125
 */
export function findSuspects(
  { embeddings, labels, classes }: Labelled,
  predicted: readonly (Prediction | undefined)[],
): Screened {
  const suspects = new Map<number, Suspect>();
  const sure = Array.from({ length: classes }, (_, label) =>
    mean(
      predicted.flatMap((prediction, at) =>
        prediction?.label === label && labels[at] === label ? [prediction.probability] : [],
      ),
    ),
  );
  for (const [at, prediction] of predicted.entries())
    if (
      prediction !== undefined &&
      prediction.label !== labels[at] &&
      prediction.probability >= sure[prediction.label]
    )
      suspects.set(at, { at, kind: "predicted", ...prediction });
  const names = labels.map((label) =>
    Float32Array.from({ length: classes }, (_, c) => (c === label ? 1 : 0)),
  );
  const mixedLabels = new Set<number>();
  for (const { kind, pairs } of screenPairs(rowsOf(embeddings), rowsOf(names))) {
    const [at, twin] = pairs;
    if (kind === "repeated_caption") mixedLabels.add(labels[at]);
    else if (kind === "near_duplicate" && !suspects.has(at) && !suspects.has(twin))
      suspects.set(at, { at, kind: "twin", twin });
    else if (kind === "isolated_a" && !suspects.has(at)) suspects.set(at, { at, kind: "alone" });
  }
  return { suspects: [...suspects.values()], mixedLabels: [...mixedLabels] };
}
