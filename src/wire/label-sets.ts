import { z } from "zod";
import { HeadReference } from "./common.js";
import { listOf, optional, withDefault } from "./field-types.js";

/** More are refused unread; `maxLabels` is checked afterwards. */
const maxListed = 100_000;

/** A label, optionally with its own sentences and threshold. */
const LabelField = z.union([
  z.string(),
  z.strictObject({
    label: z.string(),
    /** Instead of the templates; `{}` in one is replaced by the label. */
    prompts: optional(listOf(z.string(), { min: 1, max: maxListed })),
    /** Only scores of at least this count. */
    threshold: optional(z.number().min(0).max(1)),
  }),
]);
export const LabelFields = listOf(LabelField, { min: 1, max: maxListed });
export const TemplateField = z.union([z.string(), listOf(z.string(), { min: 1, max: maxListed })]);

/**
 * `PUT /v1/label-sets/{name}`. Labels with thresholds need a model or head, whose scores they apply
 * to.
 */
export const LabelSetBody = z.strictObject({
  labels: LabelFields,
  hypothesis_template: optional(TemplateField),
  template_set: optional(z.string()),
  multi_label: withDefault(z.boolean(), false),
  /** What the thresholds were chosen for. */
  model: optional(z.string().min(1)),
  head: optional(z.string().min(1)),
  /** For multi_label and reject, where a request names none. */
  calibration: optional(z.string().min(1)),
});
export type LabelSetBody = z.infer<typeof LabelSetBody>;

export const LabelSetAnswer = z.object({
  name: z.string(),
  /** Increases with each change. */
  version: z.int(),
  labels: z.array(
    z.object({
      label: z.string(),
      prompts: z.array(z.string()).optional(),
      threshold: z.number().optional(),
    }),
  ),
  hypothesis_template: z.array(z.string()).optional(),
  template_set: z.string().optional(),
  multi_label: z.boolean(),
  /** In another space, or by another head or calibration, the thresholds are not used. */
  thresholds_of: z
    .object({
      space: z.string(),
      head: HeadReference.optional(),
      calibration: HeadReference.optional(),
    })
    .optional(),
  calibration: z.string().optional(),
  /** ISO 8601. */
  updated_at: z.string(),
});
export type LabelSetAnswer = z.infer<typeof LabelSetAnswer>;

/** `error` says why it cannot be used. */
const UnusableLabelSet = z.object({ name: z.string(), error: z.string() });
export const LabelSetList = z.object({
  data: z.array(z.union([LabelSetAnswer, UnusableLabelSet])),
});
export type LabelSetList = z.infer<typeof LabelSetList>;
