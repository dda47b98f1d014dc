import { z } from "zod";
import { Modality } from "./field-types.js";

export const FieldsQuery = z.strictObject({
  /** As JSON. */
  filter: z.string().optional(),
  modality: Modality.optional(),
  /** How many values of each field are listed, the most frequent first. */
  values: z.coerce.number<number>().int().min(0).max(100).default(20),
});

const Count = z.int();
const FieldAnswer = z.object({
  /** Dot path, as in a filter. */
  field: z.string(),
  /** Items that have it. */
  count: Count,
  /** Items by the type of their value. */
  types: z.partialRecord(z.enum(["string", "number", "boolean", "null", "array"]), Count),
  /** The most frequent; of arrays their elements. */
  values: z.array(
    z.object({ value: z.union([z.string(), z.number(), z.boolean(), z.null()]), count: Count }),
  ),
  /** Values that differ; a lower bound where `has_more_values`. */
  distinct: Count,
  /** There are more values than are counted; the first ones are. */
  has_more_values: z.boolean(),
  /** Of numbers. */
  min: z.number().optional(),
  max: z.number().optional(),
});

export const CollectionFields = z.object({
  /** Those of most items first. */
  fields: z.array(FieldAnswer),
  /** Items that were looked at. */
  items: Count,
  /** False when there are more items, or more fields, than are looked at. */
  complete: z.boolean(),
});
export type CollectionFields = z.infer<typeof CollectionFields>;
