import { z } from "zod";
import { Modality, withDefault } from "./field-types.js";

const method = z.enum(["pca", "umap"]);

export const MapQuery = z.strictObject({ method: method.default("pca") });

/** The body of `POST …/map`. */
export const LayOut = z.strictObject({
  method: z.literal("umap"),
  /** The same seed and items give the same map. */
  seed: withDefault(
    z
      .int()
      .min(0)
      .max(2 ** 32 - 1),
    1,
  ),
  /** Neighbours that count for each item: many show the overall structure, few show details. */
  neighbors: withDefault(z.int().min(2).max(100), 15),
  /** Between neighbours on the map, which is about 20 wide. */
  min_dist: withDefault(z.number().min(0).max(3), 0.1),
});

export const MapAnswer = z.object({
  /** Identifies this map in the routes below it; forgotten once newer ones have been computed. */
  map: z.string(),
  /** Points, at most 100,000. */
  count: z.int(),
  /** Items that the collection has. */
  total: z.int(),
  method,
  /** Items changed since the job laid them out; those that are new have no point. */
  stale: z.boolean(),
  /** Share of the variance that each of the two axes shows; null for UMAP. */
  explained: z.array(z.number()).length(2).nullable(),
  /** The mean point of each modality; between two of them lies the gap. */
  centroids: z.array(
    z.object({ modality: Modality, count: z.int(), x: z.number(), y: z.number() }),
  ),
});
export type MapAnswer = z.infer<typeof MapAnswer>;

export const MapPointsQuery = z.strictObject({ map: z.string().min(1) });
/** Dense regions, the large ones first, named by the nearest of 1,100 everyday words. */
export const MapNames = z.object({
  /** Share of the words that are embedded; below 1 there are no names yet. */
  progress: z.number(),
  names: z.array(
    z.object({
      text: z.string(),
      x: z.number(),
      y: z.number(),
      /** Points in it. */
      count: z.int(),
      /** In the units of the map. */
      width: z.number(),
      /** Of the word and what sets the region apart. */
      cosine: z.number(),
    }),
  ),
});
export type MapNames = z.infer<typeof MapNames>;

export const MapValuesQuery = z.strictObject({
  map: z.string().min(1),
  /** Dot path, as in a filter. */
  field: z.string().min(1).max(1000),
  /** How many categories are told apart, the most frequent. */
  values: z.coerce.number<number>().int().min(1).max(250).default(100),
});
/** The value of a metadata field for each point, in the order of the points. */
export const MapValues = z.discriminatedUnion("kind", [
  z.object({
    field: z.string(),
    kind: z.literal("numbers"),
    /** Null where the item does not have the field. */
    points: z.array(z.number().nullable()),
  }),
  z.object({
    field: z.string(),
    kind: z.literal("categories"),
    /** The most frequent, with how many points have each. */
    values: z.array(
      z.object({ value: z.union([z.string(), z.number(), z.boolean()]), count: z.int() }),
    ),
    /** Different values in all. */
    distinct: z.int(),
    /**
     * Positions in `values`, of a list the first element that is among them; the length of `values`
     * for any other value; null where the item does not have the field.
     */
    points: z.array(z.int().nullable()),
  }),
]);
export type MapValues = z.infer<typeof MapValues>;

export const MapIdsQuery = z.strictObject({
  map: z.string().min(1),
  offset: z.coerce.number<number>().int().min(0).default(0),
  limit: z.coerce.number<number>().int().min(1).max(100_000).default(10_000),
});
export const MapIds = z.object({ ids: z.array(z.string()) });
export type MapIds = z.infer<typeof MapIds>;
