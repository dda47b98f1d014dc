import { z } from "zod";
import { Interval, Warnings } from "./common.js";
import { Bytes, Modality, optional, withDefault } from "./field-types.js";

export const HeadActivation = z.strictObject({
  version: z.int().positive(),
  force: withDefault(z.boolean(), false),
});
/** In a form; or the file as the body itself, with `?name=`. */
export const HeadImport = z.strictObject({
  file: Bytes,
  name: optional(z.string().min(1)),
});

export const Measure = z.object({
  before: z.number(),
  after: z.number(),
  change: z.number(),
  /** Of the change, 95 %. */
  interval: Interval,
  says: z.enum(["better", "worse", "unclear", "higher", "lower"]),
});
const Measures = z.record(z.string(), Measure);

const Verdict = z.object({
  improved: z.boolean(),
  forgets: z.boolean().optional(),
  reason: z.string(),
});

/** Of an adapter: by cross-validation over the items it was made from. */
const HeldOut = z.object({
  accuracy: z.number(),
  interval: Interval,
  items: z.int(),
  folds: z.int(),
});

const UsableVersion = z.object({
  version: z.int(),
  active: z.boolean(),
  kind: z.enum(["projection", "cache", "probe"]),
  modalities: z.array(Modality),
  from_space: z.string(),
  space: z.string(),
  dimensions: z.int(),
  /** ISO 8601. */
  created_at: z.string(),
  lineage: z.object({
    /** sha256 of what it was made from. */
    data: z.string(),
    seed: z.number().nullable(),
    parent: z.int().nullable(),
  }),
  verdict: Verdict.nullable(),
  loss: z.string().optional(),
  pairs: z.int().optional(),
  measures: Measures.optional(),
  forgetting: Measures.optional(),
  items: z.int().optional(),
  labels: z.array(z.string()).optional(),
  alpha: z.number().optional(),
  beta: z.number().optional(),
  held_out: HeldOut.optional(),
});
/** `error` says why it cannot be used. */
const UnusableVersion = z.object({ version: z.int(), active: z.boolean(), error: z.string() });
export const HeadVersionAnswer = z.union([UsableVersion, UnusableVersion]);
export type HeadVersionAnswer = z.infer<typeof HeadVersionAnswer>;

export const HeadAnswer = z.object({
  name: z.string(),
  model: z.string().nullable(),
  /** The active one. */
  version: z.int().nullable(),
  space: z.string().nullable(),
  active: z.boolean(),
  /** Why the active version is unknown. */
  error: z.string().optional(),
  versions: z.array(HeadVersionAnswer),
});
export type HeadAnswer = z.infer<typeof HeadAnswer>;

export const HeadList = z.object({ data: z.array(HeadAnswer) });
export type HeadList = z.infer<typeof HeadList>;

/** `jobs` re-project the collections that follow the head. */
export const HeadChanged = HeadAnswer.extend({ jobs: z.array(z.object({ id: z.string() })) });
export type HeadChanged = z.infer<typeof HeadChanged>;

export const HeadImported = HeadAnswer.extend({ imported_version: z.int() });
export type HeadImported = z.infer<typeof HeadImported>;

export const HeadVersionDeleted = z.object({
  name: z.string(),
  version: z.int(),
  deleted: z.literal(true),
});
export type HeadVersionDeleted = z.infer<typeof HeadVersionDeleted>;

/**
 * The report of a version; see docs/training.md for the figures.
 */
export const HeadReport = z.looseObject({
  measures: Measures.optional(),
  verdict: Verdict.optional(),
  labels: z.array(z.string()).optional(),
});
export type HeadReport = z.infer<typeof HeadReport>;

/** The `result` of a job that made a version of a head. */
export const TrainResult = z.object({
  head: z.string(),
  version: z.int(),
  model: z.string(),
  activated: z.boolean(),
  space: z.string().optional(),
  kind: z.enum(["cache", "probe"]).optional(),
  verdict: Verdict.optional(),
  measures: Measures.optional(),
  labels: z.array(z.string()).optional(),
  held_out: HeldOut.optional(),
  screening: z
    .object({
      counts: z.record(z.string(), z.int()),
      excluded: z.int(),
      /** The worst, of each kind; all are in the report. */
      worst: z.array(
        z.object({
          kind: z.string(),
          score: z.number(),
          /** Positions, counted from 0. */
          pairs: z.array(z.int()),
          /** Where the pairs have names. */
          ids: z.array(z.string()).optional(),
        }),
      ),
    })
    .optional(),
  /** Warnings of decoding its files; each starts with the field of the file. */
  warnings: Warnings.optional(),
});
export type TrainResult = z.infer<typeof TrainResult>;
