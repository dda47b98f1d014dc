import { z } from "zod";
import { Modality, optional, withDefault } from "./fields.js";
import { FilterField } from "./filter-field.js";
import { LabelFields, TemplateField } from "./label-sets.js";
import { Reject } from "./zero-shot.js";

/** `POST /v1/collections/{name}/classify`: labels of stored items, written into their metadata. */
export const ClassifyBody = z.strictObject({
  candidate_labels: optional(LabelFields),
  label_set: optional(z.string().min(1)),
  hypothesis_template: optional(TemplateField),
  template_set: optional(z.string()),
  multi_label: withDefault(z.boolean(), false),
  model: optional(z.string().min(1)),
  head: optional(z.string().min(1)),
  /** Labels of an item at most: 1, and with `multi_label` all that reach their threshold. */
  top_k: optional(z.int().positive()),
  /** With `multi_label` it is needed, unless each label has its own. */
  threshold: optional(z.number().min(0).max(1)),
  /** Leaves out what fits no label; of `multi_label` each label that does not fit. */
  reject: optional(Reject),
  calibration: optional(z.string().min(1)),
  /** Only these items. */
  filter: FilterField,
  modality: optional(Modality),
  /** Path of the metadata that the labels go into. */
  field: withDefault(z.string().min(1), "tags"),
});
export type ClassifyBody = z.infer<typeof ClassifyBody>;

/** What the metadata field holds after. */
export const Tags = z.object({
  /** Best first; none where no label reaches its threshold. */
  labels: z.array(z.string()),
  /** In the order of the labels, rounded to four digits. */
  scores: z.array(z.number()),
  /** Who found them: space, head and label set. */
  by: z.string(),
});
export type Tags = z.infer<typeof Tags>;

/** The `result` of a job that tagged a collection. */
export const ClassifyResult = z.object({
  collection: z.string(),
  field: z.string(),
  model: z.string(),
  space: z.string(),
  items: z.int(),
  /** Items with at least one label. */
  labelled: z.int(),
  /** Items of each label, most frequent first. */
  counts: z.record(z.string(), z.int()),
  /** Items that could not be scored: how many, and the first of them. */
  skipped: z.object({
    items: z.int(),
    first: z.array(z.object({ id: z.string(), reason: z.string() })),
  }),
  warnings: z.array(z.string()),
});
export type ClassifyResult = z.infer<typeof ClassifyResult>;
