import { z } from "zod";
import { Modality } from "./field-types.js";

export const MapAnswer = z.object({
  /** Names this map in the routes below it; forgotten when newer ones were made. */
  map: z.string(),
  /** Points, at most 100,000. */
  count: z.int(),
  /** Items that the collection has. */
  total: z.int(),
  /** Share of the variance that each of the two axes shows. */
  explained: z.array(z.number()).length(2),
  /** The mean point of each modality; between two of them lies the gap. */
  centroids: z.array(
    z.object({ modality: Modality, count: z.int(), x: z.number(), y: z.number() }),
  ),
});
export type MapAnswer = z.infer<typeof MapAnswer>;

export const MapPointsQuery = z.strictObject({ map: z.string().min(1) });
export const MapIdsQuery = z.strictObject({
  map: z.string().min(1),
  offset: z.coerce.number<number>().int().min(0).default(0),
  limit: z.coerce.number<number>().int().min(1).max(100_000).default(10_000),
});
export const MapIds = z.object({ ids: z.array(z.string()) });
export type MapIds = z.infer<typeof MapIds>;
