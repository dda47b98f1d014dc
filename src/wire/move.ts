import { z } from "zod";
import { optional, withDefault } from "./field-types.js";

/** The body of `POST /v1/collections/{name}/move`. */
export const MoveBody = z.strictObject({
  /** Name of the new collection. */
  into: z.string(),
  model: z.string().min(1),
  /** A head of the model, whose versions the new collection follows. */
  head: optional(z.string().min(1)),
  /** Leads to the new collection at the end; by default the alias that stands in the path. */
  alias: optional(z.string().min(1)),
  /** Whether the alias moves although items could not be embedded again. */
  allow_missing: withDefault(z.boolean(), false),
});

/** The `result` of the job. */
export const MoveResult = z.object({
  collection: z.string(),
  into: z.string(),
  model: z.string(),
  space: z.string(),
  /** In the new collection. */
  items: z.int(),
  missing: z.object({
    items: z.int(),
    /** A hundred at most. */
    first: z.array(z.object({ id: z.string(), reason: z.string() })),
  }),
  alias: z.object({ name: z.string(), moved: z.boolean() }).optional(),
});
export type MoveResult = z.infer<typeof MoveResult>;
