import type { CalibrationStore } from "../calibrations/calibration-store.js";
import type { Modality } from "../encoders/encoder.js";
import type { LoadedPack } from "../encoders/load.js";
import type { Packs } from "../encoders/packs.js";
import { AppError, invalidInput } from "../errors.js";
import { examplesOf } from "../heads/examples.js";
import type { HeadStore } from "../heads/head-store.js";
import type { UsableHead } from "../heads/head-version.js";
import type { ClassifyOptions, LabelPack } from "../zero-shot/classify-options.js";
import type { Label } from "../zero-shot/label.js";
import { chooseTemplates } from "../zero-shot/prompts.js";
import type { ReferenceBank } from "../zero-shot/reference-bank.js";
import { checkLabels } from "./check-labels.js";
import type { EmbedParts } from "./embed-contents.js";
import { referenceOf } from "./reference-of.js";

export interface ClassifyParts extends EmbedParts {
  packs: Packs;
  heads: Pick<HeadStore, "use">;
  referenceBank: ReferenceBank;
  calibrations: Pick<CalibrationStore, "use">;
  config: EmbedParts["config"] & { maxLabels: number; maxAnswerBytes: number };
}

/** A label set and the scores that its thresholds, if any, were chosen for. */
interface UsedLabelSet {
  name: string;
  version: number;
  thresholdsOf?: {
    space: string;
    head?: { name: string; version: number };
    calibration?: { name: string; version: number };
  };
  /** Used with `multiLabel` and a false-alarm rate where the request names none. */
  calibration?: string;
}

/** The labels and how to score contents against them. */
export interface LabelQuery {
  /** May be absent only for a head made from examples, which has labels. */
  labels?: readonly (string | Label)[];
  /** Where the labels come from. */
  labelSet?: UsedLabelSet;
  model?: string;
  /** A head of the model: its active version. */
  head?: string;
  templates?: readonly string[];
  templateSet?: string;
  multiLabel?: boolean;
  topK?: number;
  threshold?: number;
  /** Rejects inputs that no label fits; this share of them passes. */
  falseAlarmRate?: number;
  /** Name of a calibration, for its background and its `multiLabel` probabilities. */
  calibration?: string;
}

/** The model and head that answer. */
export interface Answerer {
  pack: LoadedPack;
  head?: UsableHead;
}

/** How the contents of one modality are scored. */
export interface LabelPlan {
  calibration?: { name: string; version: number };
  labels: readonly string[];
  options: ClassifyOptions;
  scorer: LabelPack;
  /** What of a label set was not used, and why. */
  warnings: string[];
}

/** @throws AppError `invalid_input`, naming the fields as `POST /v1/zero-shot` has them. */
export async function planLabels(
  parts: ClassifyParts,
  { pack, head }: Answerer,
  query: LabelQuery,
  { modality, signal }: { modality: Modality; signal?: AbortSignal },
): Promise<LabelPlan> {
  const requested = (query.labels ?? head?.fewShot?.labels)?.map((one) =>
    typeof one === "string" ? { label: one } : one,
  );
  const labels = checkLabels(requested, parts.config.maxLabels);
  const { multiLabel, topK, threshold } = query;
  if (multiLabel === true && head?.fewShot !== undefined) {
    const message =
      `The head "${head.name}" separates its labels from each other: ` +
      "multi_label does not apply to it";
    throw invalidInput("multi_label", message);
  }
  const templates = chooseTemplates(
    { templates: query.templates, setName: query.templateSet },
    pack.manifest.promptTemplates[modality],
    modality,
  );
  const { logitScale, logitBias, activation } = pack.manifest;
  const examples = head?.fewShot && examplesOf(head, logitScale, modality);
  const chosen = await calibrationOf(parts, pack, query, modality);
  const labelQuery = { ...query, calibration: chosen.name };
  const { calibration, reference } = await referenceOf(parts, labelQuery, pack, {
    modality,
    templates,
    signal,
  });
  const misfit = thresholdsMisfit({ pack, head }, query, calibration);
  return {
    calibration,
    labels: labels.map(({ label }) => label),
    options: {
      templates,
      prompts: byLabel(labels, ({ prompts }) => prompts),
      multiLabel,
      topK,
      threshold,
      thresholds: misfit === undefined ? byLabel(labels, ({ threshold }) => threshold) : undefined,
      reference,
      falseAlarmRate: query.falseAlarmRate,
      signal,
    },
    scorer: { textEncoder: pack.encoders.text!, logitScale, logitBias, activation, examples },
    warnings: [chosen.warning, misfit].filter((warning) => warning !== undefined),
  };
}

/** The calibration of the request, or the label set's where it has a use and fits. */
async function calibrationOf(
  { calibrations }: ClassifyParts,
  pack: LoadedPack,
  { calibration, labelSet, multiLabel, falseAlarmRate }: LabelQuery,
  modality: Modality,
): Promise<{ name?: string; warning?: string }> {
  if (calibration !== undefined) return { name: calibration };
  const name = labelSet?.calibration;
  const hasUse = multiLabel === true || falseAlarmRate !== undefined;
  if (name === undefined || modality === "text" || !hasUse) return {};
  const unused = (why: string) => ({
    warning: `The calibration "${name}" of the label set "${labelSet!.name}" was not used: ${why}`,
  });
  try {
    const { space, modality: forModality } = await calibrations.use(name);
    if (space === pack.space && forModality === modality) return { name };
    return unused(
      `it is for ${forModality} in ${space}, and this answer for ${modality} in ${pack.space}`,
    );
  } catch (error) {
    if (error instanceof AppError) return unused(error.message);
    throw error;
  }
}

function byLabel<T>(
  labels: readonly Label[],
  pick: (label: Label) => T | undefined,
): ReadonlyMap<string, T> | undefined {
  const values = new Map<string, T>();
  for (const label of labels) {
    const value = pick(label);
    if (value !== undefined) values.set(label.label, value);
  }
  return values.size === 0 ? undefined : values;
}

/**
 * Why the thresholds of a label set are not used: scores in another space, or by another version of
 * a head or calibration, differ. Undefined when they are used, or there are none.
 */
function thresholdsMisfit(
  { pack, head }: Answerer,
  { labelSet, multiLabel }: LabelQuery,
  calibration: LabelPlan["calibration"],
): string | undefined {
  const calibratedFor = labelSet?.thresholdsOf;
  if (calibratedFor === undefined) return undefined;
  const isSame =
    calibratedFor.space === pack.space &&
    calibratedFor.head?.name === head?.name &&
    calibratedFor.head?.version === head?.version &&
    // Only these scores go through one
    (!multiLabel ||
      (calibratedFor.calibration?.name === calibration?.name &&
        calibratedFor.calibration?.version === calibration?.version));
  if (isSame) return undefined;
  const named = (space: string, by: Pick<typeof calibratedFor, "head" | "calibration">) => {
    const parts = (["head", "calibration"] as const).flatMap((kind) => {
      const one = kind === "calibration" && !multiLabel ? undefined : by[kind];
      return one === undefined ? [] : [`${kind} "${one.name}", version ${one.version}`];
    });
    return parts.length === 0 ? space : `${space} (${parts.join("; ")})`;
  };
  return (
    `The thresholds of the label set "${labelSet!.name}" belong to ` +
    `${named(calibratedFor.space, calibratedFor)}, and this answer is of ` +
    `${named(pack.space, { head, calibration })}: they were not used`
  );
}
