import { z } from "zod";
import { Interval } from "./common.js";
import { optional, withDefault } from "./field-types.js";

/** The body of `POST /v1/calibrations`. */
export const CalibrationBody = z.strictObject({
  name: z.string().min(1),
  /** Its items are the background, or with `by` the labelled examples. */
  collection: z.string().min(1),
  /** Metadata field with the label of each item. */
  by: optional(z.string().min(1)),
  /** Of the items, if the collection has both. */
  modality: optional(z.enum(["image", "audio"])),
  activate: withDefault(z.boolean(), true),
});
export type CalibrationBody = z.infer<typeof CalibrationBody>;
export const CalibrationActivation = z.strictObject({ version: z.int().positive() });

/** A mean over splits of the classes, with the range of 95 % of the splits. */
const OverSplits = z.object({ value: z.number(), interval: Interval });

/** Its quality on other classes; see docs/tagging.md. */
export const CalibrationReport = z.object({
  splits: z.int(),
  auroc: OverSplits,
  false_alarms: z.array(z.object({ asked: z.number(), realised: OverSplits })),
  accepted: z.array(z.object({ asked: z.number(), share: OverSplits })),
  multi_label: z.object({ ece: OverSplits, ece_best_label: OverSplits }),
});

const version = {
  version: z.int(),
  model: z.string(),
  space: z.string(),
  modality: z.enum(["image", "audio"]),
  /** Background items. */
  background: z.int(),
  /** Items that it was made from. */
  items: z.int(),
  labels: z.array(z.string()),
  /** Whether `multi_label` scores are probabilities with it. */
  probabilities: z.boolean(),
  report: CalibrationReport.nullable(),
};

const CalibrationVersion = z.union([
  z.object({
    ...version,
    active: z.boolean(),
    collection: z.string(),
    by: z.string().nullable(),
    /** ISO 8601. */
    created_at: z.string(),
  }),
  /** `error` says why it cannot be used. */
  z.object({ version: z.int(), active: z.boolean(), error: z.string() }),
]);

export const CalibrationAnswer = z.object({
  name: z.string(),
  /** The active one. */
  version: z.int().nullable(),
  /** Why the active version is unknown. */
  error: z.string().optional(),
  versions: z.array(CalibrationVersion),
});
export type CalibrationAnswer = z.infer<typeof CalibrationAnswer>;

export const CalibrationList = z.object({ data: z.array(CalibrationAnswer) });
export type CalibrationList = z.infer<typeof CalibrationList>;

/** The `result` of a job that made a version. */
export const CalibrationResult = z.object({
  calibration: z.string(),
  activated: z.boolean(),
  ...version,
});
export type CalibrationResult = z.infer<typeof CalibrationResult>;
