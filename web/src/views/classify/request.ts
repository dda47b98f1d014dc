import type { Modality } from "../../../../src/encoders/encoder.js";
import type { LabelSetAnswer } from "../../../../src/wire/label-sets.js";
import type { Example } from "./examples.js";

/** Something to classify. */
export interface Input {
  id: number;
  name: string;
  modality: Modality;
  /** Of a text: its bytes. */
  blob: Blob;
  /** For `<img>` and `<audio>`. */
  url: string;
  text?: string;
  example?: Example;
}

/** What was taught, and answers in place of the model alone. */
export interface TaughtHead {
  /** As a request names it: `mine`, or `mine@2` for one that is not in use. */
  reference: string;
  version: number;
  /** Among those to choose from: the one in use, or the newest. */
  isOffered: boolean;
  /** Of the model that it was taught with. */
  space: string;
  modalities: readonly Modality[];
  /** The only labels that it knows; undefined for a projection, which takes any. */
  labels: readonly string[] | undefined;
}

/** Labels and how they are scored. Up to three sets are shown side by side. */
export interface LabelSet {
  id: number;
  /** Where labels come from that nobody wrote: an example, or words to begin with. */
  start: "example" | "words" | undefined;
  head: TaughtHead | undefined;
  /** What the server keeps under a name, if this began as that. */
  saved: LabelSetAnswer | undefined;
  labels: readonly string[];
  /** Of labels with sentences of their own: one a line. */
  prompts: Readonly<Record<string, string>>;
  /** One template a line, with {}; empty for the model's. */
  prompt: string;
  multiLabel: boolean;
  /** Of inputs that no label fits, the share that may pass for one; undefined: one always fits. */
  falseAlarmRate: number | undefined;
}

export const templatesIn = (prompt: string): string[] =>
  prompt.split("\n").filter((line) => line.trim() !== "");

/** What is asked of the server about an input. */
export function requestOf(input: Input, set: LabelSet) {
  const { falseAlarmRate, saved, head } = set;
  const isWritten = head?.labels === undefined;
  return {
    ...(head !== undefined && { head: head.reference }),
    ...(isWritten &&
      (saved !== undefined && isAsSaved(set) ? { label_set: saved.name } : labelFields(set))),
    ...(isWritten &&
      falseAlarmRate !== undefined && { reject: { false_alarm_rate: falseAlarmRate } }),
    ...(input.modality === "audio" && { timeline: true }),
  };
}

/** A set that is not saved as it is, spelt out; its thresholds are for the saved one alone. */
function labelFields({ saved, labels, prompts, prompt, multiLabel, falseAlarmRate }: LabelSet) {
  const templates = templatesIn(prompt);
  const isCalibrated = multiLabel || falseAlarmRate !== undefined;
  return {
    candidate_labels: labels.map((label) => {
      const labelPrompts = templatesIn(prompts[label] ?? "");
      return labelPrompts.length === 0 ? label : { label, prompts: labelPrompts };
    }),
    ...(templates.length > 0
      ? { hypothesis_template: templates }
      : saved?.template_set !== undefined && { template_set: saved.template_set }),
    ...(multiLabel && { multi_label: true }),
    ...(isCalibrated && saved?.calibration !== undefined && { calibration: saved.calibration }),
  };
}

/** Whether nothing was changed since it was saved or chosen. */
export function isAsSaved({ saved, labels, prompts, prompt, multiLabel }: LabelSet): boolean {
  if (saved === undefined) return false;
  const promptsText = (label: string) => templatesIn(prompts[label] ?? "").join("\n");
  return (
    saved.multi_label === multiLabel &&
    (saved.hypothesis_template ?? []).join("\n") === templatesIn(prompt).join("\n") &&
    saved.labels.length === labels.length &&
    saved.labels.every(
      ({ label, prompts: theirs = [] }, i) =>
        label === labels[i] && theirs.join("\n") === promptsText(label),
    )
  );
}

/** The same for what gets the same answer. */
export const keyOf = (input: Input, set: LabelSet) =>
  `${input.id} ${set.saved?.version} ${set.head?.version} ${JSON.stringify(requestOf(input, set))}`;
