import { z } from "zod";
import { AppError } from "../errors.js";
import { checkFilter, type Filter } from "../index/filter.js";

/**
 * A filter of a request. Neither null nor an empty list is a filter: a field that a program forgot
 * to fill must not match, or delete, everything.
 * @throws AppError invalid_input.
 */
export const requestFilter = (value: unknown): Filter => checkFilter(value, { allowEmpty: false });

/** A filter in a body: optional, but never null. */
export const FilterField = z
  .unknown()
  .transform((value, { issues }): Filter => {
    try {
      return requestFilter(value);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      issues.push({ code: "custom", message: error.message, params: { error }, input: undefined });
      return z.NEVER;
    }
  })
  .meta({
    type: "object",
    description:
      'A condition on metadata: {"field", "op", "value"} with eq, in, lt, lte, gt, gte, exists ' +
      "or " +
      'contains or prefix; on the item itself with "item" (id, source, modality, added_at) in ' +
      "place " +
      'of "field"; or {"and": […]}, {"or": […]}, {"not": …}',
    examples: [{ field: "year", op: "gte", value: 2020 }],
  })
  .optional() as unknown as z.ZodOptional<z.ZodType<Filter, Filter>>;
