import { z } from "zod";
import { parseJson } from "../json/parse-json.js";
import { HeadReference, Warnings } from "./common.js";
import { embeddingFields } from "./embeddings.js";
import { listOf, Media, Modality, optional, withDefault } from "./field-types.js";
import { LabelFields, TemplateField } from "./label-sets.js";

const fromForm = <S extends z.ZodType>(schema: S) =>
  z.preprocess(
    (value) => (typeof value === "string" && value !== "" ? (looseJson(value) ?? value) : value),
    schema,
  ) as unknown as z.ZodType<z.output<S>, z.input<S>>;

/** A longer text is neither a boolean nor a number. */
const maxScalarCharacters = 64;

/** More are refused unread; `maxLabels` is checked afterwards. */
const maxListed = 100_000;

/** Settings of a request that may be answered "none of these". */
export const Reject = z.strictObject({
  /** Share of inputs that no label fits, and that may pass for one that does. */
  false_alarm_rate: withDefault(z.number().positive().max(0.5), 0.05),
});

/** The scored content: an input, a stored item, or an existing embedding. */
const content = {
  image: optional(Media),
  audio: optional(Media),
  text: optional(z.string().min(1)),
  /** An item of `collection`, by the embedding that it has. */
  item_id: optional(z.string().min(1)),
  collection: optional(z.string().min(1)),
  ...embeddingFields,
  /** Of an embedding. */
  modality: optional(Modality),
  space: optional(z.string().min(1)),
};
export const ZeroShotInput = z.strictObject(content);
export type ZeroShotInput = z.infer<typeof ZeroShotInput>;

export const ZeroShotRequest = z.strictObject({
  ...content,
  /** Several, each with one content; `maxInputs` at most. */
  inputs: optional(listOf(ZeroShotInput, { min: 1, max: maxListed })),
  /** May be absent only for a head made from examples, which has labels. */
  candidate_labels: optional(LabelFields),
  /** A saved set of labels in place of `candidate_labels` and templates. */
  label_set: optional(z.string().min(1)),
  model: optional(z.string()),
  /** A head of the model: its active version, or another as `name@2`. */
  head: optional(z.string().min(1)),
  hypothesis_template: optional(TemplateField),
  template_set: optional(z.string()),
  multi_label: withDefault(fromForm(z.boolean()), false),
  top_k: optional(fromForm(z.int().positive())),
  threshold: optional(fromForm(z.number().min(0).max(1))),
  timeline: withDefault(fromForm(z.boolean()), false),
  /** Detects inputs that no label fits: `known`, and `label: null`. */
  reject: optional(Reject),
  /** A calibration: its background for `reject`, and probabilities for `multi_label`. */
  calibration: optional(z.string().min(1)),
});
export type ZeroShotRequest = z.infer<typeof ZeroShotRequest>;

export const LabelScore = z.object({
  label: z.string(),
  score: z.number(),
  /** With `multi_label` and `reject`: whether this label by itself fits. */
  known: z.boolean().optional(),
});

/** With `reject`. */
const verdict = {
  /** Whether any of the labels fits. */
  known: z.boolean().optional(),
  /** The best label; null when none fits. */
  label: z.string().nullable().optional(),
};

/** The answering model, head and label set. */
const by = {
  model: z.string(),
  head: HeadReference.optional(),
  calibration: HeadReference.optional(),
  space: z.string(),
  label_set: z.object({ name: z.string(), version: z.int() }).optional(),
};
const scored = {
  /** Best first. */
  scores: z.array(LabelScore),
  ...verdict,
  reject: z
    .object({
      false_alarm_rate: z.number(),
      /** ln of the labels' share to the neutral texts' share: how familiar the input is. */
      odds: z.number(),
      /** Share of the background that looks as familiar as the input, including the input. */
      p_value: z.number(),
      /** Inputs that this was compared with. */
      background: z.int(),
    })
    .optional(),
  warnings: Warnings.optional(),
};
export const ZeroShotAnswer = z.object({
  ...by,
  ...scored,
  /** For a sound, on request. */
  timeline: z
    .array(
      z.object({
        start_seconds: z.number(),
        end_seconds: z.number(),
        scores: z.array(LabelScore),
        ...verdict,
      }),
    )
    .optional(),
});
export type ZeroShotAnswer = z.infer<typeof ZeroShotAnswer>;

/** The answer to `inputs`, one each, in order. */
export const ZeroShotAnswers = z.object({
  ...by,
  answers: z.array(z.object(scored)),
  warnings: Warnings.optional(),
});
export type ZeroShotAnswers = z.infer<typeof ZeroShotAnswers>;

/** `true`, `5` or `0.1` as a form field spells it. */
function looseJson(text: string): unknown {
  if (text.length > maxScalarCharacters) return undefined;
  try {
    return parseJson(text);
  } catch {
    return undefined;
  }
}
