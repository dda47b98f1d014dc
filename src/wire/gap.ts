import { z } from "zod";
import { Interval } from "./common.js";
import { Modality, optional } from "./field-types.js";
import { RowsField } from "./rows.js";

/** One side in JSON; in a form, `a` and `b` are .npy files. */
export const GapSide = z.strictObject({ modality: optional(Modality), embeddings: RowsField });
/** `a` and `b` are read separately: each is a `GapSide` or a file. */
export const GapBody = z.strictObject({
  a: z.custom<unknown>().optional(),
  b: z.custom<unknown>().optional(),
  a_modality: optional(Modality),
  b_modality: optional(Modality),
  paired: z.preprocess(
    (value) => (value === "true" ? true : value === "false" ? false : value),
    z.boolean().optional(),
  ) as unknown as z.ZodOptional<z.ZodBoolean>,
  seed: optional(z.coerce.number<number>().int().min(0).max(0xffffffff)),
  collection: optional(z.string().min(1)),
  pair_by: optional(z.string().min(1)),
});
export type GapBody = z.infer<typeof GapBody>;

const bothWays = <S extends z.ZodType>(schema: S) => z.object({ a_to_b: schema, b_to_a: schema });
const ofBoth = <S extends z.ZodType>(schema: S) => z.object({ a: schema, b: schema });
const Recall = z.object({
  at_1: z.number(),
  at_5: z.number(),
  at_10: z.number(),
  median_rank: z.number(),
  intervals: z.object({ at_1: Interval, at_5: Interval, at_10: Interval }).optional(),
});
const RecallBothWays = bothWays(Recall).nullable();
const Mixed = z.object({ at_10: z.number(), mean_reciprocal_rank: z.number() });
const Points = z.array(z.tuple([z.number(), z.number()])).optional();

/**
 * The gap report; see docs/modality-gap.md for the figures. Those that need pairs are null without
 * them.
 */
export const GapAnswer = z.object({
  modalities: ofBoth(z.string()),
  items: ofBoth(z.int()),
  dimensions: z.int(),
  paired: z.boolean(),
  sample: ofBoth(z.int()),
  distinct: ofBoth(z.int()),
  centroid_gap: z.number(),
  mean_cosine: ofBoth(z.number()),
  uniformity: ofBoth(z.number()),
  linear_separability: z.object({ centroids: z.number(), held_out: z.number() }),
  gap_dimensions: z.array(z.object({ dimension: z.int(), share: z.number() })),
  gap_share: z.record(z.string(), z.number()),
  relative_modality_gap: z.number().nullable(),
  alignment: z.number().nullable(),
  alignment_interval: Interval.nullable(),
  recall: RecallBothWays,
  pair_cosines: z
    .object({
      low: z.number(),
      high: z.number(),
      pairs: z.array(z.int()),
      others: z.array(z.int()),
      mean_pairs: z.number(),
      mean_others: z.number(),
    })
    .nullable(),
  hubs: bothWays(
    z.object({
      skewness: z.number(),
      largest: z.number(),
      never: z.number(),
      /** Items of the side that is searched: of a collection by id, else by row. */
      items: z.array(
        z.object({ id: z.string().optional(), row: z.int().optional(), share: z.number() }),
      ),
    }),
  ).nullable(),
  shift_curve: z
    .array(
      z.object({
        delta: z.number(),
        distance: z.number(),
        a_to_b_at_1: z.number(),
        b_to_a_at_1: z.number(),
        loss: z.number(),
        losses: z.object({ "0.01": z.number(), "0.1": z.number(), "1": z.number() }),
      }),
    )
    .nullable(),
  centered: z.object({
    centroid_gap: z.number(),
    relative_modality_gap: z.number().nullable(),
    recall: RecallBothWays,
  }),
  held_out: z
    .object({
      centroid_gap: z.number(),
      recall: RecallBothWays,
      centered: z.object({ centroid_gap: z.number(), recall: RecallBothWays }),
      mixed_corpus: z.object({ before: Mixed, centered: Mixed }).nullable(),
    })
    .nullable(),
  projection: z.object({
    explained: z.tuple([z.number(), z.number()]),
    a: Points,
    b: Points,
    density: z
      .object({
        bins: z.int(),
        x: Interval,
        y: Interval,
        a: z.array(z.number()),
        b: z.array(z.number()),
      })
      .optional(),
  }),
});
export type GapAnswer = z.infer<typeof GapAnswer>;
