import { z } from "zod";
import type { Modality } from "../encoders/encoder.js";
import type { ProjectionHead } from "../encoders/head.js";
import type { HeldOutAccuracy } from "../training/few-shot-accuracy.js";
import type { FewShotFile } from "../training/few-shot-file.js";
import type { RunReport } from "../training/run-report.js";

const modality = z.enum(["text", "image", "audio"]);
const measure = z.object({
  before: z.number(),
  after: z.number(),
  change: z.number(),
  interval: z.tuple([z.number(), z.number()]),
  says: z.enum(["better", "worse", "unclear", "higher", "lower"]),
});

/**
 * `projection`: heads on one or both sides of pairs, in a new space. `cache` and `probe`: examples
 * that help to classify in the model's space (see training/few-shot.ts).
 */
export const headKinds = ["projection", "cache", "probe"] as const;

/**
 * The parts of a report that this code reads: an imported version may come with a report of any
 * origin.
 */
const TrainingReport = z.looseObject({
  options: z.looseObject({ loss: z.string(), decayTowards: z.string() }),
  heads: z.object({ a: z.string(), b: z.string() }),
  data: z.looseObject({
    pairs: z.number(),
    train: z.number(),
    validation: z.number(),
    test: z.number(),
  }),
  epochs: z.array(
    z.looseObject({
      epoch: z.number(),
      trainLoss: z.number(),
      validationLoss: z.number().optional(),
    }),
  ),
  bestEpoch: z.number(),
  stoppedBy: z.enum(["epochs", "patience"]),
  measures: z.record(z.string(), measure),
  forgetting: z.record(z.string(), measure).optional(),
  verdict: z.looseObject({ improved: z.boolean(), reason: z.string() }),
});
const AdapterReport = z.object({
  items: z.number(),
  labels: z.array(z.string()),
  alpha: z.number().optional(),
  beta: z.number().optional(),
  heldOut: z
    .object({
      accuracy: z.number(),
      interval: z.tuple([z.number(), z.number()]),
      items: z.number(),
      folds: z.number(),
    })
    .optional(),
});

/** A version's `head.json`: everything about it except the weights. */
export const HeadVersion = z.object({
  formatVersion: z.literal(1),
  kind: z.enum(headKinds),
  /** Id of its model. */
  model: z.string().min(1),
  /** The space of its inputs, the model's. */
  fromSpace: z.string().min(1),
  /** The space of its outputs; for a cache or probe, the model's. */
  space: z.string().min(1),
  dimensions: z.int().positive(),
  /** The modality of each side; a cache or probe has only side a. */
  sides: z.object({ a: modality, b: modality.optional() }),
  /** How cosines become logits after training; absent when the model's apply. */
  logits: z.object({ scale: z.number().positive(), bias: z.number(), loss: z.string() }).optional(),
  /** ISO 8601. */
  createdAt: z.string(),
  lineage: z.object({
    /** sha256 of the embeddings it was made from. */
    data: z.string(),
    seed: z.number().optional(),
    /** The version of this name that was active when it was made. */
    parent: z.number().optional(),
    job: z.string().optional(),
  }),
  report: z
    .union([TrainingReport, AdapterReport])
    .transform((report) => report as unknown as HeadReport),
});
export type HeadVersion = z.infer<typeof HeadVersion>;

/** What an adapter was made from. */
export interface FewShotReport {
  items: number;
  labels: string[];
  alpha?: number;
  beta?: number;
  /** By cross-validation; absent when every label has a single item. */
  heldOut?: HeldOutAccuracy;
}
export type HeadReport = RunReport | FewShotReport;

/** A version with its weights, ready for use. A side without a head is unchanged. */
export interface UsableHead extends HeadVersion {
  name: string;
  version: number;
  a?: ProjectionHead;
  b?: ProjectionHead;
  fewShot?: FewShotFile;
}

/** Whether training found that it helps; absent without held-out pairs. */
export function verdictOfHead({
  report,
}: Pick<HeadVersion, "report">): RunReport["verdict"] | undefined {
  return "verdict" in report ? report.verdict : undefined;
}

export const headedModalities = ({ sides }: Pick<HeadVersion, "sides">): Modality[] =>
  sides.b === undefined ? [sides.a] : [sides.a, sides.b];
