import { z } from "zod";
import { Modality, optional, withDefault } from "./field-types.js";
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
  /** Most labels of an item: 1, or with `multi_label` all that reach their threshold. */
  top_k: optional(z.int().positive()),
  /** With `multi_label` it is needed, unless each label has its own. */
  threshold: optional(z.number().min(0).max(1)),
  /** Skips items that fit no label; with `multi_label`, labels that do not fit. */
  reject: optional(Reject),
  calibration: optional(z.string().min(1)),
  /** Only these items. */
  filter: FilterField,
  modality: optional(Modality),
  /** Path of the metadata that the labels go into. */
  field: withDefault(z.string().min(1), "tags"),
});
export type ClassifyBody = z.infer<typeof ClassifyBody>;
