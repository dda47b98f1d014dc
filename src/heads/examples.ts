import type { Modality } from "../encoders/encoder.js";
import { AppError } from "../errors.js";
import { rowsOf, take } from "../math/rows.js";
import { type CacheAdapter, cacheLogits, linearProbeLogits } from "../training/few-shot.js";
import type { Examples } from "../zero-shot/classify-options.js";
import type { UsableHead } from "./head-version.js";

/**
 * A cache or probe as the classifier takes it.
 *
 * A cache also uses the labels' texts, so it accepts any labels; those with examples gain votes. A
 * probe accepts only its own labels.
 *
 * @throws AppError `invalid_input` when its examples are of another modality, or a probe does not
 *   have a label.
 */
export function examplesOf(
  head: UsableHead,
  logitScale: number,
  modality: Modality,
): Examples | undefined {
  const { fewShot, name, sides } = head;
  if (fewShot === undefined) return undefined;
  if (sides.a !== modality) {
    throw new AppError(
      "invalid_input",
      `The head "${name}" is for ${sides.a}, not for ${modality}`,
      { param: "head" },
    );
  }
  const { adapter } = fewShot;
  if (adapter.kind === "cache") {
    return {
      usesTexts: true,
      logitsOf: (labels, texts) => {
        const offeredExamples = offered(adapter, fewShot.labels, labels);
        const weights = rowsOf(texts).values;
        return (embedding) => cacheLogits(offeredExamples, { weights, logitScale }, embedding);
      },
    };
  }
  return {
    usesTexts: false,
    logitsOf: (labels) => {
      const places = labels.map((label) => fewShot.labels.indexOf(label));
      const unknown = places.indexOf(-1);
      if (unknown >= 0) {
        const message =
          `The head "${name}" does not have the label "${labels[unknown]}"; its labels are ` +
          `${fewShot.labels.join(", ")}`;
        throw new AppError("invalid_input", message, { param: `candidate_labels[${unknown}]` });
      }
      return (embedding) => {
        const logits = linearProbeLogits(adapter, embedding);
        return Float64Array.from(places, (place) => logits[place]);
      };
    },
  };
}

/** The cache's examples of the candidate labels, numbered like those. */
function offered(
  adapter: CacheAdapter,
  adapterLabels: readonly string[],
  labels: readonly string[],
): CacheAdapter {
  const places = Array.from(adapter.labels, (label) => labels.indexOf(adapterLabels[label]));
  const kept = [...places.keys()].filter((i) => places[i] >= 0);
  return {
    ...adapter,
    ...take(adapter, kept),
    labels: Int32Array.from(kept, (i) => places[i]),
    classes: labels.length,
  };
}
