import { z } from "zod";
import { parseJson } from "../json/parse-json.js";
import { HeadReference, Warnings } from "./common.js";
import { listOf, Media, optional, withDefault } from "./fields.js";

const fromForm = <S extends z.ZodType>(schema: S) =>
  z.preprocess(
    (value) => (typeof value === "string" && value !== "" ? (looseJson(value) ?? value) : value),
    schema,
  ) as unknown as z.ZodType<z.output<S>, z.input<S>>;

/** A longer text is no truth value or number. */
const maxScalarCharacters = 64;

/** More are refused before any is looked at; `maxLabels` is checked after. */
const maxListed = 100_000;

/** What a request that may be answered "none of these" accepts. */
export const Reject = z.strictObject({
  /** Share of inputs that no label fits, and that may pass for one that does. */
  false_alarm_rate: withDefault(z.number().positive().max(0.5), 0.05),
});

export const ZeroShotRequest = z.strictObject({
  image: optional(Media),
  audio: optional(Media),
  text: optional(z.string().min(1)),
  /** Only a head made from examples has labels of its own. */
  candidate_labels: optional(listOf(z.string(), { min: 1, max: maxListed })),
  model: optional(z.string()),
  /** A head of the model: its active version. */
  head: optional(z.string().min(1)),
  hypothesis_template: optional(
    z.union([z.string(), listOf(z.string(), { min: 1, max: maxListed })]),
  ),
  template_set: optional(z.string()),
  multi_label: withDefault(fromForm(z.boolean()), false),
  top_k: optional(fromForm(z.int().positive())),
  threshold: optional(fromForm(z.number().min(0).max(1))),
  timeline: withDefault(fromForm(z.boolean()), false),
  /** Tells inputs that none of the labels fits: `known`, and `label: null`. */
  reject: optional(Reject),
  /** A calibration: background of its own for `reject`, and probabilities for `multi_label`. */
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

export const ZeroShotAnswer = z.object({
  model: z.string(),
  head: HeadReference.optional(),
  calibration: HeadReference.optional(),
  space: z.string(),
  /** Best first. */
  scores: z.array(LabelScore),
  ...verdict,
  reject: z
    .object({
      false_alarm_rate: z.number(),
      /** Share of the background that looks as familiar as the input, the input counted. */
      p_value: z.number(),
      /** Inputs that this was compared with. */
      background: z.int(),
    })
    .optional(),
  /** Of a sound, where it is asked for. */
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
  warnings: Warnings.optional(),
});
export type ZeroShotAnswer = z.infer<typeof ZeroShotAnswer>;

/** `true`, `5` or `0.1` as a form field spells it. */
function looseJson(text: string): unknown {
  if (text.length > maxScalarCharacters) return undefined;
  try {
    return parseJson(text);
  } catch {
    return undefined;
  }
}
